"""`fucai query decompose` and `rank`: what they ask, what a manager reads, and what is refused."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from rich.cells import cell_len

from fucai.v1 import analytics_pb2 as pb
from tests.unit.cli.fake import FRESH, FakeAnalytics, Ran, run, serving

PAIRING = pb.Pairing(
    from_day="2025-02-01",
    to_day="2025-02-28",
    base_from_day="2024-02-01",
    base_to_day="2024-02-29",
    rule=pb.COMPARISON_YOY,
    rule_zh="2025-02-01…2025-02-28 对 2024-02-01…2024-02-29，同比",
    rule_en="2025-02-01…2025-02-28 against 2024-02-01…2024-02-29, year on year",
    warning_zh="休市天数不同",
    warning_en="closed days differ",
)
ABOUT = pb.About(
    freshness=FRESH,
    currency="CNY",
    definitions=[pb.Definition(name="waterfall", text_zh="口径", text_en="meaning")],
    queries=[pb.ExplainedQuery(sql="SELECT 1 AS [x]", parameters=["rows=1"], rows_read=1_234, projections=["daily"])],
)
TOTAL = pb.Waterfall(
    base_fen=2_000_000_00,
    new_fen=300_000_00,
    opened_fen=300_000_00,
    closed_fen=-100_000_00,
    same_fen=40_000_00,
    value_fen=2_240_000_00,
    new_outlets=2,
    closed_outlets=1,
    same_outlets=9,
    scale_effect_fen=200_000_00,
    intensity_effect_fen=60_000_00,
    price_effect_fen=-20_000_00,
    growth=pb.Growth(ratio=0.12, mark=pb.GROWTH_MARK_RATIO),
)
DECOMPOSED = pb.DecomposeResponse(
    pairing=PAIRING,
    total=TOTAL,
    groups=[
        pb.Waterfall(group=["120101"], group_names=["和平"], base_fen=100, value_fen=340_000_00, new_fen=33_999_900),
        pb.Waterfall(group=["120101", ""], group_names=["和平", ""], value_fen=340_000_00),
        pb.Waterfall(group=["others"], group_names=["others"], value_fen=-5, same_fen=-105, base_fen=100, others=3),
    ],
    total_rows=3,
    about=ABOUT,
)
RANKED = pb.RankResponse(
    pairing=PAIRING,
    rows=[
        pb.RankRow(
            within="A1",
            within_name="A1",
            place=1,
            id="007",
            name="网点[7]",
            measurement=pb.Measurement(
                measure="sales",
                value=pb.Quantity(fen=123_456_78),
                base=pb.Quantity(fen=100_000_00),
                growth=pb.Growth(ratio=0.2346, mark=pb.GROWTH_MARK_RATIO),
            ),
            share_bp=6_001,
            contribution=23_456_78,
            members=1,
        ),
        pb.RankRow(
            within="A1",
            within_name="A1",
            measurement=pb.Measurement(
                measure="sales", value=pb.Quantity(fen=5), growth=pb.Growth(mark=pb.GROWTH_MARK_NO_BASE)
            ),
            share_bp=3_999,
            members=12,
        ),
    ],
    total_rows=2,
    concentrations=[
        pb.Concentration(within="A1", within_name="A1", members=15, top_members=2, top_share=0.601, gini=0.4375)
    ],
    ranked=13,
    left_out=4,
    reasons=[pb.LeftOut(text_zh="开业日未登记", text_en="the day of opening is not registered", members=4)],
    rule_zh="入榜：规则",
    rule_en="ranked: the rule",
    about=ABOUT,
)


class Whys(FakeAnalytics):
    """Answers these two questions."""

    def Decompose(self, request: pb.DecomposeRequest, context: Any) -> pb.DecomposeResponse:
        """The fixed decomposition."""
        self._note(request, context)
        return DECOMPOSED

    def Rank(self, request: pb.RankRequest, context: Any) -> pb.RankResponse:
        """The fixed ranking."""
        self._note(request, context)
        return RANKED


@pytest.fixture(scope="module")
def service() -> Whys:
    """An analytics service with fixed answers."""
    return Whys()


@pytest.fixture(scope="module")
def address(service: Whys) -> Iterator[str]:
    """Where it listens."""
    with serving(service) as found:
        yield found


def ask(address: str, *arguments: str) -> Ran:
    """A question that is answered."""
    ran = run("query", *arguments, FUCAI_ANALYTICS=address)
    assert ran.exit_code == 0, ran.err
    return ran


def test_a_waterfall_reads_from_base_to_period(address: str) -> None:
    """Each step has its sign and a bar on one axis: falls to the left of it, rises to the right."""
    lines = ask(address, "decompose", "--lang", "zh").out.splitlines()
    steps = {line.split()[1]: line for line in lines[1:12] if line.strip()}
    assert "200.00" in steps["基期"]
    assert "224.00" in steps["本期"]
    assert "▲ +12.0%" in steps["本期"]
    assert "+30.00 " in steps["新增网点"]
    assert "│█" in steps["新增网点"]
    assert "−10.00 " in steps["退出网点"]
    assert "█│" in steps["退出网点"]
    axes = {cell_len(line[: line.index("│")]) for line in lines if "│" in line}
    assert len(axes) == 1
    assert any("单位 万元" in line for line in lines)
    assert max(map(cell_len, lines)) <= 100


def test_a_drill_stands_below_what_it_is_part_of(address: str) -> None:
    """The whole first, groups below with their level, what is unknown and others told as such; the rule beneath."""
    out = ask(address, "decompose", "--by", "district,zone", "--lang", "en").out
    names = ["whole channel ", "和平 ", "  (none) ", "3 others "]
    assert all(line.startswith(name) for name, line in zip(names, out.splitlines()[1:5], strict=True))
    assert "closed days differ" in out
    assert "against 2024-02-01…2024-02-29, year on year" in out
    assert max(map(cell_len, out.splitlines())) <= 100


def test_exports_of_a_drill_are_exact(address: str) -> None:
    """Every part in fen, the level, codes as text; no bar and no sign that a program would stumble over."""
    ran = ask(address, "decompose", "--by", "district,zone", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(ran.out)))
    assert [row["level"] for row in rows] == ["channel", "district", "zone", "district"]
    assert (rows[1]["district"], rows[1]["district_name"]) == ("120101", "和平")
    assert rows[0]["closed_fen"] == "-10000000"
    assert rows[3]["others"] == "3"
    assert "█" not in ran.out
    factors = ask(address, "decompose", "--by", "district,zone", "--factors")
    assert "bets/outlet" in factors.out
    assert "closed" not in factors.out.splitlines()[0]


def test_a_ranking_names_places_others_and_those_left_out(address: str) -> None:
    """Place, name, area, value, base, growth, share; the others without a place; the rule and the number left out."""
    out = ask(address, "rank", "--within", "mgmt_area", "--lang", "en").out
    head, first, others = out.splitlines()[:3]
    assert head.split() == ["place", "outlet", "management", "area", "sales", "base", "growth", "share", "change"]
    assert first.split()[:2] == ["1", "网点[7]"]
    assert "60.0%" in first
    assert "12 others" in others
    assert "ranked: the rule" in out
    assert "13 ranked, 4 left out: the day of opening is not registered 4" in out
    found = json.loads(ask(address, "rank", "--json").out)
    assert found["facts"]["left_out"] == 4
    assert found["rows"][0]["id"] == "007"
    assert found["rows"][1]["base_fen"] is None


def test_a_ranking_tells_how_unequal_it_is(address: str) -> None:
    """Members above zero, the largest tenth with their share, Gini, in a table beside the places and exact in json."""
    out = ask(address, "rank", "--within", "mgmt_area", "--lang", "en").out
    table = out[out.index("Concentration") :]
    assert "60.1%" in table
    assert "0.44" in table
    found = json.loads(ask(address, "rank", "--within", "mgmt_area", "--json").out)
    (row,) = found["beside"]["concentration"]["rows"]
    assert (row["within_mgmt_area"], row["members"], row["top_members"]) == ("A1", 15, 2)
    assert (row["top_share"], row["gini"]) == (0.601, 0.4375)


def test_options_become_the_request(address: str, service: Whys) -> None:
    """Periods, base, conditions of either sign, attributes, moment in the business zone; queries on stderr."""
    ran = ask(
        address,
        *("decompose", "--from", "2025-02-01", "--base-from", "2023-02-01", "--by", "zone, outlet", "--top", "3"),
        *("--filter", "game=ssq,3d", "--not", "zone=Z1=", "--today", "--as-of", "2025-03-01T08:00"),
        "--explain",
    )
    asked = service.asked
    assert (asked.from_day, asked.to_day, asked.base_from_day) == ("2025-02-01", "", "2023-02-01")
    assert asked.compare == pb.COMPARISON_BASE_PERIOD
    assert list(asked.by) == ["zone", "outlet"]
    assert asked.top == 3
    assert asked.selection == pb.Selection(
        filters=[
            pb.Filter(dimension="game", values=["ssq", "3d"]),
            pb.Filter(dimension="zone", values=["Z1="], exclude=True),
        ],
        attributes=pb.ATTRIBUTE_BASIS_TODAY,
        as_of_ms=1_740_787_200_000,
        explain=True,
    )
    assert "SELECT 1 AS [x]" in ran.err
    assert "1,234 rows" in ran.err
    assert "SELECT" not in ran.out


@pytest.mark.parametrize(
    ("arguments", "ranking"),
    [
        ((), "MEASURE"),
        (("--by", "growth"), "GROWTH"),
        (("--by", "contribution", "--lowest"), "CONTRIBUTION"),
        (("--new-star", "--cutoff", "2024-12-31"), "NEW_STAR"),
        (("--progress", "--below-average"), "PROGRESS"),
    ],
)
def test_each_ranking_is_asked_by_its_option(
    address: str, service: Whys, arguments: tuple[str, ...], ranking: str
) -> None:
    """--new-star, --progress and --by choose the ranking; its parameters go with it."""
    ask(address, "rank", "--of", "outlet", "--top", "7", "--least", "100", "--least-open-days", "20", *arguments)
    asked = service.asked
    assert asked.ranking == pb.Ranking.Value(f"RANKING_{ranking}")
    assert (asked.of, asked.top, asked.least_value, asked.least_open_days) == ("outlet", 7, 100, 20)
    assert asked.lowest_first == ("--lowest" in arguments)
    assert asked.cutoff_day == ("2024-12-31" if "--cutoff" in arguments else "")
    assert asked.below_average_too == ("--below-average" in arguments)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("decompose", "--filter", "zone"), "zone_type=night_market"),
        (("decompose", "--as-of", "yesterday"), "2025-03-10T18:00"),
        (("rank", "--new-star", "--progress"), "take one of them"),
        (("rank", "--progress", "--by", "growth"), "take one of them"),
        (("rank", "--measure", "profit"), "companion"),
    ],
)
def test_what_can_not_be_read_is_refused_with_a_remedy(address: str, arguments: tuple[str, ...], told: str) -> None:
    """Exit code 64, and how to write it, before anything is asked."""
    ran = run("query", *arguments, FUCAI_ANALYTICS=address)
    assert ran.exit_code == 64
    assert told in ran.err
    assert not ran.out
