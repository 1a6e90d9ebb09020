import pytest

from labkit.sandbox.network.protocols import name_of, number_of


@pytest.mark.parametrize(
    ("given", "number"),
    [("tcp", 6), ("TCP", 6), ("udp", 17), ("icmp", 1), ("icmpv6", 58), ("47", 47), (6, 6), ("0", 0), ("255", 255)],
)
def test_a_protocol_is_known_by_name_or_number(given, number):
    assert number_of(given) == number


@pytest.mark.parametrize("given", ["", "tcpp", "-1", "256", "6.0"])
def test_anything_else_is_named_as_wrong(given):
    with pytest.raises(ValueError, match="is no IP protocol"):
        number_of(given)


def test_protocols_without_a_common_name_are_called_by_number():
    assert [name_of(6), name_of(17), name_of(99)] == ["tcp", "udp", "protocol 99"]
