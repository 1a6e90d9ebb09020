"""The values of a space-delimited pattern as regular expressions: numbers in any spelling, texts with wildcards."""

import re
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labkit.sandbox.logs.filter_patterns.parser import parse
from labkit.sandbox.logs.filter_patterns.texts import field_regex, number_regex, required_text
from labkit.sandbox.logs.filter_patterns.tree import Condition, Space


def condition(text: str) -> Condition:
    """The condition of a pattern's only field."""
    pattern = parse(f"[{text}]")
    assert isinstance(pattern, Space)
    (field,) = pattern.fields
    assert field.condition is not None
    return field.condition


@pytest.mark.parametrize(
    ("number", "spellings", "others"),
    [
        (22.0, "22 022 +22 22.0 22. 0022.000", "222 2 -22 22.01 2.2e1 22x"),
        (0.0, "0 00 0.0 +0", "0.1 1"),
        (0.5, "0.5 .5 +0.50 000.5", "5 0.05 0.51 -0.5"),
        (-1.5, "-1.5 -01.50", "1.5 +1.5 -1.05"),
        (1000.0, "1000 1000.0", "1e3 100 10000"),
        (0.001, "0.001 .0010", "0.01 0.0011"),
    ],
)
def test_a_number_is_found_in_any_spelling_without_an_exponent(number: float, spellings: str, others: str) -> None:
    regex = number_regex(number)
    assert [text for text in spellings.split() if not re.fullmatch(regex, text)] == []
    assert [text for text in others.split() if re.fullmatch(regex, text)] == []


@settings(max_examples=50, deadline=None)
@given(
    number=st.decimals(0, 10_000, places=3), zeros=st.sampled_from(["", "0", "000"]), plus=st.sampled_from(["", "+"])
)
def test_zeros_and_a_plus_sign_make_no_difference_and_any_other_number_does(
    number: Decimal, zeros: str, plus: str
) -> None:
    spelling = f"{plus}{zeros}{number}{zeros}"
    assert re.fullmatch(number_regex(float(number)), spelling)
    assert not re.fullmatch(number_regex(float(number + Decimal("0.001"))), spelling)
    assert not re.fullmatch(number_regex(-float(number) - 1), spelling)


@pytest.mark.parametrize(
    ("test", "regex"),
    [
        ("a=REJECT", "REJECT"),
        ("a=4*", r"4\S*"),
        ("a=*.com", r"\S*\x{2e}com"),
        ("a=*ab*", r"\S*ab\S*"),
        ("a=x || a=y", "x|y"),
    ],
)
def test_equalities_with_texts_become_one_regular_expression(test: str, regex: str) -> None:
    assert field_regex(condition(test), last=False) == f"(?:{regex})"


@pytest.mark.parametrize("test", ["a!=x", "a>1", "a=%x%", "a=x && a!=y", 'a="x y"', "a=x || a>1", "a=*"])
def test_what_is_no_equality_with_a_text_is_tested_field_by_field(test: str) -> None:
    assert field_regex(condition(test), last=False) is None


@pytest.mark.parametrize(
    ("test", "text"),
    [
        ("a=REJECT", "REJECT"),
        ("a=*.html*", ".html"),
        ("a=22", "22"),
        ("a=022.50", "22"),
        ("a=0.5", ""),
        ("a!=REJECT", ""),
        ("a=x || a=y", ""),
        ("a=%x%", ""),
    ],
)
def test_the_text_that_every_match_has_is_known_of_equalities(test: str, text: str) -> None:
    assert required_text(condition(test)) == text
