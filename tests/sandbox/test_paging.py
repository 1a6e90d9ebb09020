import pytest

from labkit.sandbox.kernel.errors import ServiceError
from labkit.sandbox.paging import page, position, token


def refusal(given):
    return ServiceError("InvalidNextToken", f"Invalid nextToken: {given}")


@pytest.mark.parametrize(("count", "size", "pages"), [(0, 2, [0]), (2, 2, [2]), (3, 2, [2, 1]), (7, 3, [3, 3, 1])])
def test_pages_have_everything_once_and_the_last_has_no_token(count, size, pages):
    items = list(range(count))
    seen, sizes, params = [], [], {}
    while True:
        answer = page(items, params, "Items", size, refusal)
        seen += answer["Items"]
        sizes.append(len(answer["Items"]))
        if "NextToken" not in answer:
            break
        params = {"NextToken": answer["NextToken"]}
    assert (seen, sizes) == (items, pages)


def test_a_token_is_where_the_page_begins():
    assert position(None, refusal) == 0
    assert position(token(500), refusal) == 500


@pytest.mark.parametrize("given", ["", "x", "5", "ZnJvbQ==", "ZnJvbSB4", "dG8gNQ==", "ZnJvbSAtMg==", "ZnJvbSDCsg=="])
def test_other_tokens_are_refused(given):
    with pytest.raises(ServiceError, match="InvalidNextToken: Invalid nextToken"):
        position(given, refusal)
