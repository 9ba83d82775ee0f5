"""Page tokens: pages of any size hold every item once, and no other token is taken."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fucai.ledger import paging

KEYS = st.lists(st.tuples(st.text(max_size=5), st.integers(0, 2**64 - 1)), unique=True).map(sorted)


@given(KEYS, st.integers(1, 7))
def test_pages_hold_every_item_once(keys: list[tuple[str, int]], size: int) -> None:
    """All pages together are the list."""
    found: list[tuple[str, int]] = []
    token = ""
    while True:
        page, token = paging.cut(keys, lambda key: key, size=size, token=token)
        assert len(page) <= size
        found += page
        if not token:
            break
    assert found == keys


@pytest.mark.parametrize("token", ["nonsense", "W10=", paging.write(["a"]), paging.write([1, "a"]), "WyJhIiwtMV0="])
def test_other_tokens_are_refused(token: str) -> None:
    """Whatever this service did not give for such a list."""
    with pytest.raises(paging.BadTokenError):
        paging.read(token, [str, int])
