"""Mapping and header: which column means what."""

from __future__ import annotations

import pytest

from fucai.terminal.columns import ColumnsError, locate, parse_mapping

ONTARIO = "day=day,outlet=area,game=game,bets=tickets,amount=net_sales"
HEADER = ["day", "area", "game", "tickets", "net_sales", "jackpot"]


def test_finds_the_mapped_columns_and_passes_over_the_others() -> None:
    """Each field gets the position of its column; unmapped columns do no harm."""
    columns = locate(parse_mapping(ONTARIO), HEADER)
    assert (columns.day, columns.outlet, columns.game, columns.bets, columns.amount) == (0, 1, 2, 3, 4)


def test_without_a_mapping_columns_have_their_fields_names() -> None:
    """No --columns means day, outlet, game, bets, amount."""
    assert locate(parse_mapping(""), ["amount", "bets", "game", "outlet", "day"]).day == 4


def test_a_column_name_may_hold_a_comma_in_quotes() -> None:
    """Quotes around a pair keep its comma."""
    assert parse_mapping('day=d,outlet=o,game=g,bets=b,"amount=net, CAD"')["amount"] == "net, CAD"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("day=day,outlet=area,game=game,bets=tickets", "amount missing"),
        (f"{ONTARIO},day=other", "day is named twice"),
        (f"{ONTARIO},colour=red", "'colour' is no field"),
        ("day", "not of the form"),
        ("day=", "not of the form"),
    ],
)
def test_refuses_a_bad_mapping(text: str, complaint: str) -> None:
    """A mapping names each field once and nothing else."""
    with pytest.raises(ColumnsError, match=complaint):
        parse_mapping(text)


@pytest.mark.parametrize("header", [HEADER[:4], [*HEADER, "net_sales"]])
def test_refuses_a_header_without_exactly_one_such_column(header: list[str]) -> None:
    """A missing column and one that is there twice are told with the header found."""
    with pytest.raises(ColumnsError, match="'net_sales'"):
        locate(parse_mapping(ONTARIO), header)
