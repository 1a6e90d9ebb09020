"""Reads XML from outside: bounded in size, depth and elements, without document types, entities or other encodings.

Code that parses a client's XML later (moto does, with expat) gets only documents that this reader has accepted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

MAX_BYTES = 16 * 2**20
"""The longest request body with XML that Amazon S3 needs: 10,000 parts with their checksums, or 1000 keys to delete."""
MAX_DEPTH = 64
MAX_ELEMENTS = 200_000


class UnsafeXml(ValueError):
    """The document isn't well-formed XML, or has what no request needs."""


class TooLongXml(UnsafeXml):
    """The document is longer, or has more elements, than any request needs."""


@dataclass(slots=True)
class Element:
    """An element: its name and attributes without namespaces, its text and its children.

    >>> root = read(b'<Tagging xmlns="urn:x"><TagSet><Tag><Key>a</Key></Tag></TagSet></Tagging>')
    >>> root.name, [child.name for child in root.children], root.children[0].children[0].children[0].text
    ('Tagging', ['TagSet'], 'a')
    """

    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[Element] = field(default_factory=list)
    text: str = ""

    def named(self, name: str) -> Iterator[Element]:
        """Return the children with a name, in document order."""
        return (child for child in self.children if child.name == name)


def read(document: bytes, *, max_bytes: int = MAX_BYTES) -> Element:
    """Return the root of a document; raise UnsafeXml for a malformed one, or one with what no request needs.

    >>> read(b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>')
    Traceback (most recent call last):
    labkit.sandbox.kernel.safe_xml.UnsafeXml: a document type is not allowed
    """
    if len(document) > max_bytes:
        raise TooLongXml(f"the document has {len(document)} bytes; {max_bytes} are allowed")
    try:
        document.decode()  # expat follows a byte order mark, whatever encoding it was told
    except UnicodeDecodeError as error:
        raise UnsafeXml(f"the document is not UTF-8: {error}") from error
    builder = _Builder()
    # The encoding is fixed: a declared one would let two readers of the same bytes see two documents.
    parser = expat.ParserCreate("utf-8", namespace_separator="}")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = builder.refuse_document_type
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.characters
    try:
        parser.Parse(document, True)
    except expat.ExpatError as error:
        raise UnsafeXml(f"the document is not well-formed: {error}") from error
    assert builder.root is not None  # expat refuses a document without an element
    return builder.root


class _Builder:
    """Builds the tree from expat's events."""

    def __init__(self) -> None:
        self.root: Element | None = None
        self._open: list[Element] = []
        self._texts: list[list[str]] = []
        self._count = 0

    def refuse_document_type(self, *_: object) -> None:
        """Raise UnsafeXml: only a document type can declare entities or name other files."""
        raise UnsafeXml("a document type is not allowed")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Open an element."""
        self._count += 1
        if self._count > MAX_ELEMENTS:
            raise TooLongXml(f"the document has more than {MAX_ELEMENTS} elements")
        if len(self._open) >= MAX_DEPTH:
            raise UnsafeXml(f"the document is more than {MAX_DEPTH} elements deep")
        element = Element(_local(name), {_local(key): value for key, value in attributes.items()})
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root = element
        self._open.append(element)
        self._texts.append([])

    def end(self, _: str) -> None:
        """Close the innermost element."""
        self._open.pop().text = "".join(self._texts.pop())

    def characters(self, text: str) -> None:
        """Take a piece of text."""
        self._texts[-1].append(text)


def _local(name: str) -> str:
    return name.rpartition("}")[2]
