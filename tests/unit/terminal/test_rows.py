"""Rules on the fields of a line."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fucai.terminal.columns import locate, parse_mapping
from fucai.terminal.rows import BadRowError, RawRow, RowParser

HEADER = ["day", "outlet", "game", "bets", "amount", "note"]
TODAY = date(2016, 3, 1)
GOOD = ["2015-12-31", "M5V", "Lotto 649", "12", "99", ""]


def parser(amount_unit: int = 100) -> RowParser:
    """A parser of the header above, on the day above."""
    return RowParser(locate(parse_mapping(""), HEADER), amount_unit=amount_unit, today=TODAY.toordinal())


def test_reads_a_good_line() -> None:
    """Days become ordinals, dollars cents, and texts lose the blanks around them."""
    row = parser().parse(["2015-12-31 ", " M5V", "Lotto 649", "12", "99", "x"])
    assert row == RawRow("M5V", "Lotto 649", date(2015, 12, 31).toordinal(), 12, 9900)


@pytest.mark.parametrize(
    ("field", "value", "complaint"),
    [
        (0, "2015-02-29", "day: '2015-02-29' is no day"),
        (0, "31.12.2015", "write it as YYYY-MM-DD"),
        (0, "20151231", "is no day"),
        (0, "2016-03-01", "is not over yet"),
        (0, "2016-03-02", "is not over yet"),
        (0, "1969-12-31", "before 1970-01-02"),
        (1, "  ", "outlet: is empty"),
        (1, "M\x005V", "cannot be read; take out control characters"),
        (1, "M\udcff", "cannot be read; save the file as UTF-8"),
        (1, "M" * 61, "longer than 60"),
        (2, "", "game: is empty"),
        (3, "0", "bets: 0 is not above zero"),
        (3, "-1", "bets: -1 is not above zero"),
        (3, "1.5", "bets: '1.5' is no whole number"),
        (3, "١", "is no whole number"),
        (3, "4294967296", "too large"),
        (4, "0", "amount: 0 is not above zero"),
        (4, "0.00", "amount: 0.00 is not above zero"),
        (4, "-5", "amount: -5 is not above zero"),
        (4, "1e3", "amount: '1e3' is no number"),
        (4, "1,000", "is no number"),
        (4, "nan", "is no number"),
        (4, "1.005", "times --amount-unit 100 is no whole number of fen"),
        (4, "99999999999999999999", "too large"),
        (4, "100000000000.01", "too large"),
    ],
)
def test_refuses_a_bad_value(field: int, value: str, complaint: str) -> None:
    """Each bad value is told with its field, and with what to do."""
    fields = [*GOOD[:field], value, *GOOD[field + 1 :]]
    with pytest.raises(BadRowError, match=complaint):
        parser().parse(fields)


@pytest.mark.parametrize(("fields", "complaint"), [([*GOOD, "x"], "too many fields: 7"), (GOOD[:5], "too few")])
def test_refuses_a_line_of_another_length(fields: list[str], complaint: str) -> None:
    """A line has as many fields as the header."""
    with pytest.raises(BadRowError, match=complaint):
        parser().parse(fields)


@given(cents=st.integers(1, 10**10), unit=st.sampled_from([1, 5, 100, 1000]), places=st.integers(0, 6))
def test_amounts_are_exact(cents: int, unit: int, places: int) -> None:
    """An amount is taken exactly where it is whole in fen, and refused elsewhere; it is never rounded."""
    text = f"{cents // 10**places}.{cents % 10**places:0{places}}" if places else str(cents)
    exact = Fraction(cents, 10**places) * unit
    fields = [*GOOD[:4], text, ""]
    if exact.denominator == 1:
        assert parser(unit).parse(fields).amount_fen == exact
    else:
        with pytest.raises(BadRowError, match="no whole number of fen"):
            parser(unit).parse(fields)
