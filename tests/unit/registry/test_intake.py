"""Reading CSV files: every kind of bad input is told with file, line, column, value and what to do."""

from __future__ import annotations

import csv
import io
from importlib.resources import files
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fucai.domain.registry.changes import plan
from fucai.domain.registry.columns import FEN_A_UNIT, to_fen
from fucai.domain.registry.csvfile import Columns, Problem, read_csv
from fucai.domain.registry.intake import take_in
from fucai.domain.registry.tables import Snapshot
from tests.unit.registry.records import CLOSE_MS, good, stored

SHANGHAI = ZoneInfo("Asia/Shanghai")
ZONE_HEADER = "zone_id,name,zone_type,district_code,district,basis\n"
ZONE = "Z1,金街,complex,120101,和平,read\n"
OUTLET_HEADER = (
    "outlet_id,valid_from,name,agent_id,zone_id,district_code,mgmt_area,format,channel_class,opened,closed,is_sample\n"
)
OUTLET = "001,2020-01-01,金街便利店,A1,Z1,,一分区,convenience_store,social,2020-01-01,,\n"
GAME_HEADER = (
    "game,valid_from,name,game_type,unit_price_fen,has_draws,max_multiplier,max_ticket_fen,face_values_fen,"
    "prize_bp,issuing_fee_bp,welfare_fund_bp,commission_bp,draw_weekdays,draw_time,basis\n"
)
GAME = "ssq,2019-01-01,双色球,lotto,200,true,99,2000000,,5100,1300,3600,780,2 4 7,21:15,\n"
CLOSURES = """first_day,last_day,scope,name
2024-02-08,2024-02-17,all,a
2024-02-17,2024-02-18,draw_games,b
2024-02-18,2024-02-19,draw_games,c
2024-02-20,2024-02-21,draw_games,d
"""


def problems(beside: Snapshot | None = None, **texts: str | bytes) -> list[tuple[str, int, str, str, str]]:
    """File, line, column, value and remedy of everything wrong with files of these names."""
    contents = {f"{name}.csv": text.encode() if isinstance(text, str) else text for name, text in texts.items()}
    taken = take_in(contents, beside or Snapshot(), SHANGHAI)
    return [(p.file, p.line, p.field, p.value, p.remedy) for p in taken.problems]


def test_good_files_become_records() -> None:
    """What stands in the files is what will be stored, value by value."""
    contents = {
        "zones.csv": (ZONE_HEADER + ZONE).encode("utf-8-sig"),
        "outlets.csv": f"# a comment\n\n# another\n{OUTLET_HEADER}{OUTLET}\n\n".replace("\n", "\r\n").encode(),
        "games.csv": (GAME_HEADER + GAME).encode(),
        "draws.csv": b"drawn,game,draw_no,sales_close\n2024-01-02T21:15,ssq,2024001,2024-01-02T20:00+08:00\n",
        "closures.csv": b"first_day,last_day,scope,name\n2024-02-08,2024-02-17,draw_games,spring_festival\n",
        "benchmarks.csv": b'series,period,amount,unit,yoy_pct,basis\nown,2024-02,0.01,yuan,-14.8,"ours"\n',
    }
    taken = take_in(contents, Snapshot(), SHANGHAI)
    assert not taken.problems
    messages = [entry.message for entry in taken.entries]
    expected = [good(kind) for kind in ("zone", "outlet", "game", "draw", "closure", "benchmark")]
    assert messages == expected
    assert messages[3].sales_close_ms == CLOSE_MS


def test_bad_encoding_names_line_and_byte() -> None:
    """Bytes that are not UTF-8 are told by line and place, and GB18030 is guessed."""
    content = (ZONE_HEADER + ZONE).encode() + "Z2,店".encode("gb18030")
    ((file, line, _, value, remedy),) = problems(zones=content)
    assert (file, line, value) == ("zones.csv", 3, "0xB5")
    assert "byte 4 of the line" in remedy
    ((_, line, _, _, remedy),) = problems(zones=(ZONE_HEADER + ZONE).encode("gb18030"))
    assert (line, "GB18030" in remedy) == (1 + ZONE_HEADER.count("\n"), True)
    ((_, line, _, value, remedy),) = problems(zones=ZONE_HEADER.encode() + b"Z1,\xff\xff")
    assert (line, value, "GB18030" in remedy) == (2, "0xFF", False)


@pytest.mark.parametrize(
    ("texts", "place", "told"),
    [
        ({"zones": ""}, ("zones.csv", 0, "", ""), "no header"),
        ({"zones": "# only a comment\n"}, ("zones.csv", 0, "", ""), "no header"),
        ({"zones": ZONE_HEADER.replace(",basis", "")}, ("zones.csv", 1, "basis", ""), "missing"),
        ({"zones": "#\n" + ZONE_HEADER.replace("basis", "basis,area")}, ("zones.csv", 2, "area", "area"), "no column"),
        ({"zones": ZONE_HEADER.replace("basis", "basis,name")}, ("zones.csv", 1, "name", "name"), "in the header"),
        ({"zones": ZONE_HEADER + "Z1,金街\n"}, ("zones.csv", 2, "", "Z1,金街"), "too few"),
        ({"zones": ZONE_HEADER + ZONE.strip() + ",x\n"}, ("zones.csv", 2, "", ZONE.strip() + ",x"), "too many"),
        ({"zones": ZONE_HEADER + ZONE + 'Z2,"金街\n'}, ("zones.csv", 3, "", ""), "close every quote"),
        ({"zones": ZONE_HEADER + ZONE + ZONE}, ("zones.csv", 3, "zone_id", "Z1"), "twice"),
        ({"zones": ZONE_HEADER + ZONE.replace("complex", "park")}, ("zones.csv", 2, "zone_type", "park"), "none of"),
        ({"shops": "a\n"}, ("shops.csv", 0, "", "shops.csv"), "zones.csv"),
        ({"outlets": OUTLET_HEADER + OUTLET}, ("outlets.csv", 2, "zone_id", "Z1"), "no known zone"),
        (
            {"outlets": OUTLET_HEADER + OUTLET.replace("Z1", "").replace(",,\n", ",2019-01-01,\n")},
            ("outlets.csv", 2, "closed", "2019-01-01"),
            "not after the opening",
        ),
        (
            {"outlets": OUTLET_HEADER + OUTLET.replace("Z1", "").replace("001,2020-01-01", "001,2020-02-30")},
            ("outlets.csv", 2, "valid_from", "2020-02-30"),
            "no day",
        ),
        (
            {"outlets": OUTLET_HEADER + OUTLET.replace("Z1", "").replace(",,\n", ",,yes\n")},
            ("outlets.csv", 2, "is_sample", "yes"),
            "neither true nor false",
        ),
        ({"games": GAME_HEADER + GAME.replace(",200,", ",2.00,")}, ("games.csv", 2, "unit_price_fen", "2.00"), "whole"),
        ({"games": GAME_HEADER + GAME.replace(",99,", ",-1,")}, ("games.csv", 2, "max_multiplier", "-1"), "within 0"),
        (
            {"games": GAME_HEADER + GAME.replace(",99,", f",{2**32},")},
            ("games.csv", 2, "max_multiplier", "4294967296"),
            "within 0",
        ),
        ({"games": GAME_HEADER + GAME.replace("2 4 7", "2;4")}, ("games.csv", 2, "draw_weekdays", "2;4"), "by spaces"),
        ({"games": GAME_HEADER + GAME.replace("5100", "5000")}, ("games.csv", 2, "prize_bp", "5000"), "9900"),
        (
            {"games": GAME_HEADER + GAME, "draws": "game,draw_no,sales_close,drawn\nssq,2024001,2 Jan 2024,\n"},
            ("draws.csv", 2, "sales_close", "2 Jan 2024"),
            "no moment",
        ),
        (
            {"games": GAME_HEADER + GAME, "draws": "game,draw_no,sales_close,drawn\nssq,2024001,2024-13-02T20:00,\n"},
            ("draws.csv", 2, "sales_close", "2024-13-02T20:00"),
            "month",
        ),
        (
            {"benchmarks": "series,period,amount,unit,yoy_pct,basis\nown,2024,12.345,yuan,,\n"},
            ("benchmarks.csv", 2, "amount", "12.345"),
            "no whole number of fen",
        ),
        (
            {"benchmarks": "series,period,amount,unit,yoy_pct,basis\nown,2024,99999999999,yi,,\n"},
            ("benchmarks.csv", 2, "amount", "99999999999"),
            "too large",
        ),
        (
            {"benchmarks": "series,period,amount,unit,yoy_pct,basis\nown,2024,1e3,yuan,,\n"},
            ("benchmarks.csv", 2, "amount", "1e3"),
            "no number",
        ),
        (
            {"benchmarks": "series,period,amount,unit,yoy_pct,basis\nown,2024,0,yuan,,\n"},
            ("benchmarks.csv", 2, "amount", "0"),
            "not above zero",
        ),
        (
            {"closures": CLOSURES},
            ("closures.csv", 3, "first_day", "2024-02-17"),
            "overlaps the closure 2024-02-18",
        ),
    ],
)
def test_bad_input_is_told(texts: dict[str, str], place: tuple[str, int, str, str], told: str) -> None:
    """Each kind of bad input is told at its place, with what to do."""
    found = problems(None, **texts)
    assert found[0][:4] == place
    assert told in found[0][4]


def test_unknown_unit_is_told_at_the_unit() -> None:
    """Where the unit is unknown, the amount is not blamed for not being an amount."""
    found = problems(benchmarks="series,period,amount,unit,yoy_pct,basis\nown,2024,5,dollar,,\n")
    assert ("unit", "dollar") in [problem[2:4] for problem in found]


def test_every_bad_line_of_every_file_is_told() -> None:
    """One faulty line hides no other, and files come in their order, lines in theirs."""
    lines = [f"Z{n},金街,park,120101,和平,\n" for n in range(50)]
    found = problems(zones=ZONE_HEADER + "".join(lines), outlets=OUTLET_HEADER + OUTLET.replace("social", "online"))
    assert [(file, line) for file, line, *_ in found] == [("zones.csv", n + 2) for n in range(50)] + [
        ("outlets.csv", 2)
    ]


def test_faulty_zone_does_not_make_its_outlets_faulty() -> None:
    """An outlet in a zone whose line has a fault, or whose file is unreadable, is not blamed for it."""
    outlets = OUTLET_HEADER + OUTLET
    assert [p[0] for p in problems(zones=ZONE_HEADER + ZONE.replace("complex", "park"), outlets=outlets)] == [
        "zones.csv"
    ]
    assert [p[0] for p in problems(zones=b"\xff", outlets=outlets)] == ["zones.csv"]


def test_zone_may_be_known_from_the_store() -> None:
    """A file alone may refer to what an earlier import brought."""
    assert problems(stored(good("zone")), outlets=OUTLET_HEADER + OUTLET) == []


def test_line_numbers_count_lines_inside_quotes() -> None:
    """A cell may span lines; what comes after it is numbered as an editor would."""
    text = '# top\nzone_id,name\n"Z1","a\nb"\nZ2\n'
    read = read_csv("f.csv", text.encode(), Columns(["zone_id", "name"]))
    assert [(line.number, line.cells["zone_id"]) for line in read.lines] == [(3, "Z1")]
    assert [problem.line for problem in read.problems] == [5]


@given(st.lists(st.tuples(st.text(max_size=8), st.text(max_size=8)), max_size=10))
def test_whatever_csv_writers_write_is_read(rows: list[tuple[str, str]]) -> None:
    """Quotes, commas, line breaks and signs of any script come through; only outer space is taken off."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    writer.writerow(["a", "b"])
    writer.writerows(rows)
    try:
        content = out.getvalue().encode()
    except UnicodeEncodeError:
        content = out.getvalue().encode(errors="replace")
        rows = [(a.encode(errors="replace").decode(), b.encode(errors="replace").decode()) for a, b in rows]
    read = read_csv("f.csv", content, Columns(["a", "b"]))
    expected = [{"a": a.strip(), "b": b.strip()} for a, b in rows if a.strip() or b.strip()]
    assert not read.problems
    assert [line.cells for line in read.lines] == expected


@given(st.binary(max_size=200))
def test_any_bytes_are_answered(content: bytes) -> None:
    """Random bytes under a known name end in lines or problems, never in a crash."""
    taken = take_in({"outlets.csv": content, "benchmarks.csv": content}, Snapshot(), SHANGHAI)
    assert all(isinstance(problem, Problem) for problem in taken.problems)
    assert taken.problems


@given(st.integers(1, 2**62), st.sampled_from(sorted(FEN_A_UNIT)))
def test_amounts_are_exact(fen: int, unit: str) -> None:
    """An amount written out in any unit is read back to the last fen."""
    whole, rest = divmod(fen, FEN_A_UNIT[unit])
    digits = len(str(FEN_A_UNIT[unit])) - 1
    assert to_fen(f"{whole}.{rest:0{digits}}", unit) == fen


def test_packaged_sample_is_good_and_complete() -> None:
    """The sample set has no problem; each of 54 zones has one open outlet, each outlet a till and an import one."""
    contents = {entry.name: entry.read_bytes() for entry in files("fucai.registry").joinpath("sample").iterdir()}
    taken = take_in(contents, Snapshot(), SHANGHAI)
    assert not taken.problems
    records = plan(taken.entries, Snapshot()).records_after
    newest = {message.outlet_id: message for _, message in sorted(records["outlets"].items())}
    assert len(records["zones"]) == 54
    assert sorted(message.zone_id for message in newest.values() if not message.closed) == sorted(
        zone_id for (zone_id,) in records["zones"]
    )
    bound = {(message.outlet_id, message.kind) for message in records["terminals"].values()}
    assert bound >= {(outlet_id, kind) for outlet_id in newest for kind in ("till", "import")}
    assert {key[0] for key in records["games"]} == {"ssq", "3d", "qlc", "kl8", "instant"}
    welfare = records["benchmarks"]["national_welfare", "2024"]
    assert (welfare.amount_fen, welfare.yoy_pct) == (20_795_600_000_000, "7.0")
    assert all(message.is_sample for name in ("zones", "outlets", "terminals") for message in records[name].values())
