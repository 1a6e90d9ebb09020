import pytest

from labkit.sandbox.moto import json_text


def test_json_is_read():
    assert json_text.loads('{"a": [1, "{[", {"b": "\\""}]}') == {"a": [1, "{[", {"b": '"'}]}


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("[" * 101 + "]" * 101, (1, 101)),
        ('{"a":\n' + '{"a":' * 200 + "1" + "}" * 201, (2, 496)),
        ("[" * 100_000, (1, 101)),
        ('{"a": ', (1, 7)),
        ('"' * 50_001, (1, 3)),
        ("[NaN]", (1, 1)),
        ("[" + "9" * 5000 + "]", (1, 1)),
    ],
)
def test_what_is_no_json_or_too_deep_is_refused_with_its_place(text, place):
    with pytest.raises(json_text.JsonError) as caught:
        json_text.loads(text)
    assert (caught.value.line, caught.value.column) == place
