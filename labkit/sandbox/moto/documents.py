"""Reads XML, YAML and compressed data in place of moto's readers, which trust whatever they are given."""

from __future__ import annotations

import gzip
import io
from typing import Any, NoReturn
from xml.dom import minidom

import xmltodict
import yaml
from moto.core.parse import BaseXMLParser, RequestParserError
from moto.s3.exceptions import MalformedXML, S3ClientError

from labkit.sandbox.kernel import safe_xml
from labkit.sandbox.moto.json_text import MAX_DEPTH
from labkit.sandbox.moto.sources import Overlay

MAX_INFLATED = 256 * 2**20
"""The most bytes that compressed data may expand to: S3 Select reads objects into memory."""


def _check_xml(document: bytes | str) -> None:
    try:
        safe_xml.read(document.encode() if isinstance(document, str) else document)
    except (safe_xml.UnsafeXml, UnicodeEncodeError) as error:
        raise MalformedXML from error


def _xml_to_dict(document: bytes | str, *arguments: Any, **named: Any) -> Any:
    # Read twice, and on purpose: moto's code expects what its own parser returns.
    _check_xml(document)
    return xmltodict.parse(document, *arguments, **named)


def _xml_to_dom(document: bytes | str, *arguments: Any, **named: Any) -> minidom.Document:
    _check_xml(document)
    return minidom.parseString(document, *arguments, **named)


XMLTODICT = Overlay(xmltodict, parse=_xml_to_dict)
MINIDOM = Overlay(minidom, parseString=_xml_to_dom)

_parse_xml = BaseXMLParser._parse_xml_string_to_dom


def parse_request_xml(parser: BaseXMLParser, xml_string: bytes | str) -> Any:
    """Read the XML of a REST request as moto does, after checking that it is safe."""
    try:
        _check_xml(xml_string)
    except MalformedXML as error:
        raise RequestParserError(f"Unable to parse the request: {error.__cause__}") from error
    return _parse_xml(parser, xml_string)  # type: ignore[no-untyped-call]


def _load_yaml(text: str) -> Any:
    """Read a document of Systems Manager, of bounded depth and without aliases, which can multiply without end."""
    # By its events, before anything is composed: composing recurses as deep as the text is nested.
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent):
            raise yaml.YAMLError("aliases are not allowed")
        opens = isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent))
        depth += opens - isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent))
        if depth > MAX_DEPTH:
            raise yaml.YAMLError(f"nested more than {MAX_DEPTH} levels deep")
    return yaml.safe_load(text)


YAML = Overlay(yaml, safe_load=_load_yaml)


class _BoundedGzipFile(gzip.GzipFile):
    """A gzip file that raises S3's error once it has expanded to more than MAX_INFLATED bytes."""

    def read(self, size: int | None = -1) -> bytes:
        """Return the next bytes."""
        whole = size is None or size < 0
        # One byte more than allowed, to tell a file that is exactly as large from a larger one.
        data = super().read(MAX_INFLATED + 1 if whole else size)
        self._check(len(data) > MAX_INFLATED)
        return data

    def read1(self, size: int = -1) -> bytes:
        """Return some of the next bytes."""
        self._check(self.tell() > MAX_INFLATED)
        return super().read1(size)

    @staticmethod
    def _check(too_long: bool) -> None:
        if too_long:
            message = f"The object holds more than {MAX_INFLATED} bytes inflated."
            raise S3ClientError("InvalidCompressionFormat", message)


def _open_gzip(file: Any, mode: str = "rb", *arguments: Any, **named: Any) -> Any:
    """Replace `gzip.open`, which moto calls to read text; raise ValueError for any other mode."""
    if mode != "rt":
        raise ValueError(f"unexpected mode {mode!r}")
    return io.TextIOWrapper(io.BufferedReader(_BoundedGzipFile(fileobj=file)), "utf-8")


GZIP = Overlay(gzip, open=_open_gzip, GzipFile=_BoundedGzipFile)


def refuse_bzip2(data: bytes) -> NoReturn:
    """Raise NotImplementedError for bzip2, whose reader can't be bounded."""
    raise NotImplementedError("S3 Select of objects compressed with bzip2")


BZ2 = Overlay(object, decompress=refuse_bzip2)
