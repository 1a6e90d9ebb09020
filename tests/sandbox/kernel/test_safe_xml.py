"""XML from outside, read safely."""

import pytest

from labkit.sandbox.kernel import safe_xml

LAUGHS = b"""<!DOCTYPE a [<!ENTITY x0 "ha"><!ENTITY x1 "&x0;&x0;"><!ENTITY x2 "&x1;&x1;">]><a>&x2;</a>"""
EXTERNAL = b"""<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>"""


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"   ",
        b"text",
        b"<a>",
        b"<a></b>",
        b"<a/><b/>",
        b"<a>&nbsp;</a>",
        b"<a>&#0;</a>",
        b"<a>\x00</a>",
        b"<a>\xff</a>",
        b"<a b='1' b='2'/>",
        "<a>é</a>".encode("utf-16"),
        b'<?xml version="1.0" encoding="utf-7"?><a>+AOk-</a>\xfe',
        LAUGHS,
        EXTERNAL,
        b"<!DOCTYPE a><a/>",
        b"<a>" * 65 + b"</a>" * 65,
        b"<a>" * 100_000,
    ],
)
def test_what_is_no_safe_document_is_refused(document):
    with pytest.raises(safe_xml.UnsafeXml):
        safe_xml.read(document)


def test_a_long_document_is_refused_before_it_is_parsed():
    with pytest.raises(safe_xml.TooLongXml, match="12 bytes; 10 are allowed"):
        safe_xml.read(b"<" + b"a" * 9 + b"/>", max_bytes=10)


def test_a_document_of_too_many_elements_is_refused(monkeypatch):
    monkeypatch.setattr(safe_xml, "MAX_ELEMENTS", 3)
    assert len(safe_xml.read(b"<a><b/><b/></a>").children) == 2
    with pytest.raises(safe_xml.TooLongXml):
        safe_xml.read(b"<a><b/><b/><b/></a>")


def test_names_lose_their_namespaces_and_text_is_kept_as_it_is():
    children = "<b>1</b><b/><c>x<![CDATA[<y>]]></c>"
    document = f'<?xml version="1.0"?><!-- c --><p:a xmlns:p="urn:p" p:type="t"> é&lt;\n{children}</p:a>'
    root = safe_xml.read(document.encode())
    assert (root.name, root.attributes, root.text) == ("a", {"type": "t"}, " é<\n")
    assert [child.text for child in root.named("b")] == ["1", ""]
    assert next(root.named("c")).text == "x<y>"


def test_the_deepest_document_allowed_is_read():
    assert safe_xml.read(b"<a>" * 64 + b"</a>" * 64).name == "a"
