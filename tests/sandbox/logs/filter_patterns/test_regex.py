"""Regular expressions in patterns: the characters, operators and escapes that AWS documents, and no others.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/regex-expressions.html
"""

import re
import string

import pytest

from labkit.sandbox.logs.filter_patterns.regex import parse_regex
from labkit.sandbox.logs.filter_patterns.tree import PatternError

DOCUMENTED = string.ascii_letters + string.digits + ":_#=@/;,- "
OPERATORS = "^$?[]{}|\\*+."


@pytest.mark.parametrize("char", DOCUMENTED)
def test_a_documented_character_stands_for_itself(char: str) -> None:
    assert parse_regex(f"a{char}b", 0).pattern == f"a{char}b"


@pytest.mark.parametrize("char", sorted(set(string.printable) - set(DOCUMENTED) - set(OPERATORS) - {"%"}))
def test_any_other_printable_character_is_refused_at_its_place(char: str) -> None:
    with pytest.raises(PatternError) as caught:
        parse_regex(f"ab{char}", 10)
    assert caught.value.message == f"Invalid character(s) in term '{char}'"
    assert caught.value.offset == 10 + 1 + 2


@pytest.mark.parametrize("char", ["é", "ß", "日", "😀", "٣"])
def test_letters_and_digits_are_those_of_ascii(char: str) -> None:
    with pytest.raises(PatternError):
        parse_regex(char, 0)


@pytest.mark.parametrize("operator", OPERATORS)
def test_an_operator_is_itself_behind_a_backslash(operator: str) -> None:
    regex = parse_regex(f"a\\{operator}b", 0).pattern
    assert re.fullmatch(regex, f"a{operator}b")


@pytest.mark.parametrize(
    ("escape", "matching", "other"),
    [
        (r"\d", "7", "x"),
        (r"\D", "x", "7"),
        (r"\s", "\t", "x"),
        (r"\S", "x", " "),
        (r"\w", "_", "-"),
        (r"\W", "-", "_"),
        (r"\x41", "A", "a"),
        (r"\x2a", "*", "x"),
    ],
)
def test_classes_and_codes_are_what_they_are_elsewhere(escape: str, matching: str, other: str) -> None:
    regex = parse_regex(escape, 0).pattern
    assert re.fullmatch(regex, matching)
    assert not re.fullmatch(regex, other)


@pytest.mark.parametrize("escape", [r"\b", r"\B", r"\A", r"\z", r"\Z", r"\p", r"\Q", r"\1", r"\x4", r"\xgg", r"\u0041"])
def test_escapes_that_are_not_documented_are_refused(escape: str) -> None:
    with pytest.raises(PatternError, match=r"Invalid character\(s\) in term"):
        parse_regex(f"a{escape}", 0)


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("a{3}", "a{3}"),
        ("a{3,}", "a{3,}"),
        ("a{3,5}", "a{3,5}"),
        ("a{,5}", "a{0,5}"),
        ("a{0}", "a{0}"),
        ("[{}]{2}", "[{}]{2}"),
        (r"\{3\}", r"\{3\}"),
        ("a}", "a}"),
    ],
)
def test_counts_are_taken_and_the_least_may_be_left_out(text: str, pattern: str) -> None:
    assert parse_regex(text, 0).pattern == pattern


@pytest.mark.parametrize("text", ["a{", "a{}", "a{,}", "a{x}", "a{3, 5}", "{x3}"])
def test_a_brace_that_opens_no_count_is_refused(text: str) -> None:
    with pytest.raises(PatternError) as caught:
        parse_regex(text, 0)
    assert (caught.value.offset, caught.value.detail[:19]) == (1 + text.index("{"), "a count such as {3}")


def test_counts_add_up_to_a_thousand_at_most() -> None:
    parse_regex("a{500}b{,500}", 0)
    with pytest.raises(PatternError, match="repetitions that add up to 1000 at most"):
        parse_regex("a{500}b{500,501}", 0)
