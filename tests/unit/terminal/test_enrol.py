"""What a file needs from the registry, and what of it is created."""

from __future__ import annotations

from datetime import date

import pytest

from fucai.terminal.enrol import Enrolment, OutletTraits, game_code_of
from fucai.terminal.known import Known
from fucai.terminal.rows import BadRowError
from fucai.terminal.spool import HistoryRow, Spool
from fucai.v1.registry_pb2 import Game, Outlet, RegistryRecord, Terminal
from tests.unit.terminal import town

DAY = date(2024, 5, 1).toordinal()


def created(enrolment: Enrolment, *rows: HistoryRow) -> list[RegistryRecord]:
    """The records to create for those rows."""
    with Spool() as spool:
        for row in rows:
            spool.add(row)
        return list(enrolment.records(spool))


@pytest.fixture
def known() -> Known:
    """Two outlets, one of them without an import terminal, one closed for good, and a summary game."""
    return town.known(
        [
            RegistryRecord(outlet=Outlet(outlet_id="bare", valid_from="2021-01-01", opened="2021-01-01")),
            RegistryRecord(
                outlet=Outlet(outlet_id="shut", valid_from="2021-01-01", opened="2021-01-01", closed="2024-01-01")
            ),
            RegistryRecord(game=Game(game="lotto_649", name="Lotto 649", valid_from="2024-01-01", game_type="summary")),
            RegistryRecord(
                terminal=Terminal(terminal_id="import:shut", valid_from="2021-01-01", outlet_id="0001", kind="import")
            ),
        ],
        outlets=2,
    )


def test_known_outlets_and_games_need_nothing_but_an_import_terminal(known: Known) -> None:
    """The terminal is created where it is missing, from the first day of the file."""
    rows = [HistoryRow("bare", "ssq", DAY + 1, 1, 200), HistoryRow("bare", "ssq", DAY, 1, 200)]
    (record,) = created(Enrolment(known, register=False), HistoryRow("0001", "ssq", DAY, 1, 200), *rows)
    assert record.terminal == Terminal(
        terminal_id="import:bare", valid_from="2024-05-01", outlet_id="bare", kind="import"
    )


def test_register_creates_what_is_unknown_from_the_first_day_on(known: Known) -> None:
    """Outlet and game open with their first row, the outlet with the traits given."""
    enrolment = Enrolment(known, register=True, traits=OutletTraits(format="supermarket"))
    enrolment.check_outlet("new", DAY)
    code = enrolment.game_code("Lotto Max", DAY)
    game, outlet, terminal = created(
        enrolment, HistoryRow("new", code, DAY + 3, 1, 200), HistoryRow("new", code, DAY, 1, 200)
    )
    assert (game.game.game, game.game.name, game.game.game_type) == ("lotto_max", "Lotto Max", "summary")
    assert (game.game.unit_price_fen, game.game.valid_from) == (0, "2024-05-01")
    assert (outlet.outlet.outlet_id, outlet.outlet.format) == ("new", "supermarket")
    assert outlet.outlet.valid_from == outlet.outlet.opened == "2024-05-01"
    assert terminal.terminal.terminal_id == "import:new"


def test_without_register_the_unknown_is_a_fault_of_the_row(known: Known) -> None:
    """The reason names the value and the way out."""
    enrolment = Enrolment(known, register=False)
    with pytest.raises(BadRowError, match="'new' is not registered; register it, or give --register"):
        enrolment.check_outlet("new", DAY)
    with pytest.raises(BadRowError, match="'Lotto Max' is in no catalogue"):
        enrolment.game_code("Lotto Max", DAY)


@pytest.mark.parametrize(
    ("outlet_id", "day", "complaint"),
    [
        ("bare", date(2020, 12, 31), "was not open on 2020-12-31"),
        ("shut", date(2024, 1, 1), "closed 2024-01-01"),
        ("shut", date(2023, 1, 1), "'import:shut' is bound to '0001'"),
    ],
)
def test_an_outlet_sells_only_while_it_is_open(known: Known, outlet_id: str, day: date, complaint: str) -> None:
    """Days before the opening, from the closing on, and under another outlet's terminal are refused."""
    with pytest.raises(BadRowError, match=complaint):
        Enrolment(known, register=True).check_outlet(outlet_id, day.toordinal())


def test_a_game_is_found_by_code_or_by_name(known: Known) -> None:
    """A file may use the catalogue's code or its name for people."""
    enrolment = Enrolment(known, register=False)
    assert [enrolment.game_code(text, DAY) for text in ("ssq", "双色球", "Lotto 649")] == ["ssq", "ssq", "lotto_649"]


def test_a_game_is_not_sold_before_its_first_day(known: Known) -> None:
    """A catalogue game keeps its first day; one that imports made is carried back by --register."""
    early = date(2012, 12, 31).toordinal()
    with pytest.raises(BadRowError, match="from 2013-01-01 only"):
        Enrolment(known, register=True).game_code("ssq", early)
    with pytest.raises(BadRowError, match="from 2024-01-01 only"):
        Enrolment(known, register=False).game_code("Lotto 649", DAY - 1_000)
    enrolment = Enrolment(known, register=True)
    code = enrolment.game_code("Lotto 649", DAY - 1_000)
    (record,) = created(enrolment, HistoryRow("0001", code, DAY - 1_000, 1, 200))
    assert (record.game.game, record.game.valid_from) == ("lotto_649", date.fromordinal(DAY - 1_000).isoformat())


def test_two_names_never_share_a_code(known: Known) -> None:
    """The second name that would get a code, and one that would get a known game's, are refused."""
    enrolment = Enrolment(known, register=True)
    assert enrolment.game_code("Pick 3", DAY) == "pick_3"
    for text in ("pick-3 ", "Pick/3", "LOTTO 649!"):
        with pytest.raises(BadRowError, match="would share the code"):
            enrolment.game_code(text, DAY)


@pytest.mark.parametrize(
    ("text", "code"), [("ssq", "ssq"), ("Lottario", "Lottario"), ("Lotto 6/49", "lotto_6_49"), ("Été!", "ete")]
)
def test_codes_are_the_text_or_its_letters_and_digits(text: str, code: str) -> None:
    """A text that can be a code is one."""
    assert game_code_of(text) == code


def test_a_name_without_latin_letters_needs_a_code_of_its_own() -> None:
    """Nothing is made up for it."""
    with pytest.raises(BadRowError, match="no code can be made"):
        game_code_of("大乐透")
