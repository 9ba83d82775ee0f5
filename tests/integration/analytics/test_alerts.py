"""Every alert equals an independent recomputation from the raw events, written from docs/definitions.md."""

from __future__ import annotations

import statistics
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any

import grpc
import polars as pl
import pytest

from fucai.runtime.errors import violations_of
from fucai.v1 import analytics_pb2 as pb
from fucai.v1.analytics_pb2_grpc import AnalyticsServiceStub
from tests.integration.analytics.busy import CLOSURES, DAY, FIRST, NOW, TODAY, Busy, draw_no, keep
from tests.integration.analytics.served import served

YESTERDAY = TODAY - DAY
DAYS = [YESTERDAY - DAY * back for back in (0, 5, 6, 8, 9, 12, 14, 45, 100)]
CLOSED = {first + DAY * n for first, last, *_ in CLOSURES for n in range((last - first).days + 1)}
Row = tuple[str, str, int, int, float]


def daily(world: Busy, left_out: Collection[str] = ()) -> pl.DataFrame:
    """By outlet and day: sales in fen of the games that count, whether there is a sale of those, and of any."""
    rows = [(e.outlet, e.day, e.kind, e.game, e.fen, e.bets) for e in world.events if e.kind != "PAYOUT"]
    counts = ~pl.col("game").is_in(list(left_out))
    sale = (pl.col("kind") == "SALE") & (pl.col("bets") > 0)
    fen = pl.when(pl.col("kind") == "VOID").then(-pl.col("fen")).otherwise(pl.col("fen"))
    return (
        pl.DataFrame(rows, schema=["outlet", "day", "kind", "game", "fen", "bets"], orient="row")
        .group_by("outlet", "day")
        .agg(fen=fen.filter(counts).sum(), counted=(sale & counts).any(), sold=sale.any())
    )


USUAL = pb.AlertParameters(
    weeks=8,
    least_weeks=4,
    least_base_fen=20_000,
    least_z=3.5,
    least_change_bp=3_000,
    least_spread_bp=1_000,
    least_share_bp=8_000,
    least_active_bp=9_600,
)
"""The parameters of docs/definitions.md where none are given."""


def expected(world: Busy, day: date, left_out: Collection[str] = (), given: pb.AlertParameters = USUAL) -> list[Row]:
    """Alerts of single outlets on a day, in order: rule, outlet, actual, expected, score."""
    cells = {(o, d): (fen, counted, sold) for o, d, fen, counted, sold in daily(world, left_out).iter_rows()}
    found: list[Row] = []
    for shop in world.shops:
        if day in CLOSED or not shop.opened <= day or (shop.closed and shop.closed <= day):
            continue
        past = [day - DAY * 7 * weeks for weeks in range(1, 2 * given.weeks + 1)]
        past = [one for one in past if one not in CLOSED and one >= max(shop.opened, FIRST)][: given.weeks]
        if len(past) < given.least_weeks:
            continue
        values = [cells.get((shop.outlet, one), (0, False, False)) for one in past]
        fen, _, sold = cells.get((shop.outlet, day), (0, False, False))
        middle = statistics.median(value for value, *_ in values)
        spread = 1.4826 * statistics.median(abs(value - middle) for value, *_ in values)
        spread = max(spread, middle * given.least_spread_bp / 10_000)
        if round(middle) >= given.least_base_fen:
            z = (fen - middle) / spread
            if abs(z) >= given.least_z and 10_000 * abs(fen - middle) >= given.least_change_bp * middle:
                found.append(("fall" if z < 0 else "rise", shop.outlet, fen, round(middle), round(z, 6)))
        usually = [value if counted else 0 for value, counted, _ in values]
        if not sold and 10_000 * sum(counted for _, counted, _ in values) >= given.least_share_bp * len(past):
            found.append(("silence", shop.outlet, 0, round(statistics.median(usually)), 0.0))
    order = ["fall", "rise", "silence"]
    return sorted(found, key=lambda row: (order.index(row[0]), -abs(row[2] - row[3]), row[1]))


def terminals(world: Busy, day: date, skipped: Collection[date] = ()) -> tuple[int, int]:
    """Terminals bound to the open outlets, and those of them with a sale on the last seven open days."""
    open_ = {s.outlet for s in world.shops if s.opened <= day and (s.closed is None or day < s.closed)}
    bound = {terminal for terminal, outlet, kind in world.terminals if outlet in open_ and kind == "till"}
    window = [day - DAY * n for n in range(60) if day - DAY * n not in CLOSED and day - DAY * n not in skipped][:7]
    selling = {e.terminal for e in world.events if e.day in window and e.kind == "SALE" and not e.summary}
    return len(bound), len(bound & selling)


def rows_of(alerts: Sequence[pb.Alert]) -> list[Row]:
    """The alerts of outlets in the same form."""
    return [
        (one.rule, one.outlet_id, one.actual.fen, one.expected.fen, round(one.score, 6))
        for one in alerts
        if one.outlet_id
    ]


def test_the_alerts_are_those_of_the_rules(watch: AnalyticsServiceStub, busy: Busy) -> None:
    """On ordinary days and on closed ones: the same falls, rises, silences and share of terminals; counts by rule."""
    seen = set()
    for day in DAYS:
        answer = watch.Alerts(pb.AlertsRequest(day=day.isoformat()))
        assert rows_of(answer.alerts) == expected(busy, day), day
        installed, active = terminals(busy, day)
        degraded = [(one.actual.count, one.expected.count) for one in answer.alerts if one.rule == "active_terminals"]
        least = -(-96 * installed // 100)
        assert degraded == ([(active, least)] if 100 * active < 96 * installed else [])
        counts = {rule.rule: rule.alerts for rule in answer.rules}
        assert counts == {rule: [one.rule for one in answer.alerts].count(rule) for rule in counts}
        judged = {rule.rule: rule.evaluated for rule in answer.rules}
        assert judged["active_terminals"] == installed
        assert (judged["silence"] == 0) == (day in CLOSED) == ("休市" in answer.note_zh)
        seen |= {rule for rule, count in counts.items() if count}
    assert seen == {"fall", "rise", "silence", "active_terminals"}


PARAMETERS = [
    pb.AlertParameters(weeks=3),
    pb.AlertParameters(weeks=20, least_weeks=2, least_base_fen=1),
    pb.AlertParameters(least_z=0.5, least_change_bp=0, least_spread_bp=1),
    pb.AlertParameters(least_share_bp=1, least_active_bp=10_000),
    pb.AlertParameters(least_z=100, least_base_fen=10**9, least_share_bp=10_000, least_active_bp=1),
]


@pytest.mark.parametrize("given", PARAMETERS, ids=lambda given: " ".join(str(given).split()))
def test_rules_follow_the_parameters_of_the_question(
    watch: AnalyticsServiceStub, busy: Busy, given: pb.AlertParameters
) -> None:
    """What is given counts, the rest has its default; the answer states every parameter, and its alerts fit them."""
    used = pb.AlertParameters()
    used.CopyFrom(USUAL)
    used.least_weeks = min(used.least_weeks, given.weeks or used.weeks)
    used.MergeFrom(given)
    differs = False
    for day in (YESTERDAY, DAYS[4]):
        answer = watch.Alerts(pb.AlertsRequest(day=day.isoformat(), parameters=given))
        assert answer.parameters == used
        assert rows_of(answer.alerts) == expected(busy, day, given=used), day
        installed, active = terminals(busy, day)
        degraded = [one for one in answer.alerts if one.rule == "active_terminals"]
        plain = watch.Alerts(pb.AlertsRequest(day=day.isoformat()))
        differs |= list(plain.alerts) != list(answer.alerts)
        assert bool(degraded) == (10_000 * active < used.least_active_bp * installed)
    assert str(used.weeks) in answer.rules[0].text_en
    assert differs


OUT_OF_BOUNDS: list[tuple[dict[str, Any], str]] = [
    ({"weeks": 0}, "1 to 26"),
    ({"weeks": 27}, "1 to 26"),
    ({"weeks": 3, "least_weeks": 4}, "1 to 3"),
    ({"least_base_fen": 0}, "1 to 10,000,000,000,000"),
    ({"least_base_fen": -5}, "1 to 10,000,000,000,000"),
    ({"least_z": 0.0}, "above 0, at most 100"),
    ({"least_z": float("nan")}, "above 0, at most 100"),
    ({"least_change_bp": 1_000_001}, "0 to 1,000,000"),
    ({"least_spread_bp": 0}, "1 to 10,000"),
    ({"least_share_bp": 10_001}, "1 to 10,000"),
    ({"least_active_bp": 0}, "1 to 10,000"),
]


def test_parameters_out_of_bounds_are_named_with_their_bounds(watch: AnalyticsServiceStub) -> None:
    """Each with its field and what to choose, all of a question at once."""
    for given, told in OUT_OF_BOUNDS:
        with pytest.raises(grpc.RpcError) as refused:
            watch.Alerts(pb.AlertsRequest(parameters=pb.AlertParameters(**given)))
        assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        (violation,) = violations_of(refused.value)
        assert violation.field == f"parameters.{list(given)[-1]}"
        assert told in violation.description
    many = pb.AlertParameters(weeks=99, least_z=-1, least_active_bp=0)
    with pytest.raises(grpc.RpcError) as refused:
        watch.Alerts(pb.AlertsRequest(parameters=many))
    assert len(violations_of(refused.value)) == 3


def test_the_day_is_the_last_one_that_is_over_and_received(watch: AnalyticsServiceStub) -> None:
    """Without a day it is yesterday; rules carry their parameters in both languages; one rule may be asked alone."""
    whole = watch.Alerts(pb.AlertsRequest())
    assert whole.day == YESTERDAY.isoformat()
    assert whole.parameters == USUAL
    assert [rule.rule for rule in whole.rules] == ["fall", "rise", "silence", "active_terminals"]
    assert all("8" in rule.text_zh and rule.text_en for rule in whole.rules[:3])
    only = watch.Alerts(pb.AlertsRequest(rules=["silence"]))
    assert list(only.alerts) == [one for one in whole.alerts if one.rule == "silence"]
    assert [rule.rule for rule in only.rules] == ["silence"]


def test_filters_part_the_alerts_and_pages_sum_to_the_whole(watch: AnalyticsServiceStub) -> None:
    """Two zones have the alerts of outlets of the whole and its evaluated outlets; pages of three are the answer."""
    whole = watch.Alerts(pb.AlertsRequest())
    parts: list[pb.Alert] = []
    evaluated = [0, 0, 0, 0]
    for zone in ("Z1", "Z2"):
        part = watch.Alerts(
            pb.AlertsRequest(selection=pb.Selection(filters=[pb.Filter(dimension="zone", values=[zone])]))
        )
        parts += [one for one in part.alerts if one.outlet_id]
        evaluated = [one + rule.evaluated for one, rule in zip(evaluated, part.rules, strict=True)]
    assert evaluated == [rule.evaluated for rule in whole.rules]
    assert sorted(parts, key=str) == sorted((one for one in whole.alerts if one.outlet_id), key=str)
    request, paged = pb.AlertsRequest(page_size=3), list[pb.Alert]()
    while True:
        page = watch.Alerts(request)
        paged += page.alerts
        assert (page.total_rows, list(page.rules)) == (whole.total_rows, list(whole.rules))
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    assert paged == list(whole.alerts)


def test_an_outlets_card_has_its_alerts(watch: AnalyticsServiceStub, busy: Busy) -> None:
    """Those of the day judged by default, of this outlet only, and none of the whole channel; whatever is filtered."""
    whole = watch.Alerts(pb.AlertsRequest())
    assert {one.rule for one in whole.alerts} >= {"fall", "rise", "silence"}
    only = pb.Selection(filters=[pb.Filter(dimension="game", values=["instant"])])
    for shop in busy.shops:
        for selection in (None, only):
            card = watch.Outlet(
                pb.OutletRequest(outlet_id=shop.outlet, compare=pb.COMPARISON_PREVIOUS, selection=selection)
            )
            assert list(card.alerts) == [one for one in whole.alerts if one.outlet_id == shop.outlet], shop.outlet


def test_answers_say_whether_parameters_are_the_defaults(watch: AnalyticsServiceStub) -> None:
    """An outlet's card spells its rules out as defaults; alerts say that all are, or that the question gave some."""
    plain = watch.Alerts(pb.AlertsRequest())
    card = watch.Outlet(pb.OutletRequest(outlet_id=plain.alerts[0].outlet_id, compare=pb.COMPARISON_PREVIOUS))
    (told,) = (one for one in card.about.definitions if one.name == "alert")
    for rule in plain.rules:
        assert (rule.text_en in told.text_en) == (rule.text_zh in told.text_zh) == (rule.rule != "active_terminals")
    assert "all parameters are the defaults" in told.text_en
    assert "参数均为默认值" in told.text_zh
    given = watch.Alerts(pb.AlertsRequest(parameters=pb.AlertParameters(least_z=9)))
    texts = [next(one for one in of.about.definitions if one.name == "alert") for of in (plain, given)]
    assert ["all parameters are the defaults" in one.text_en for one in texts] == [True, False]
    assert ["参数均为默认值" in one.text_zh for one in texts] == [True, False]


@contextmanager
def sealed(engine_url: str, busy: Busy, name: str, days: Sequence[date]) -> Iterator[tuple[AnalyticsServiceStub, Busy]]:
    """A service before the same world in which the draws of these days have not ended, and what of it may be seen."""
    unended = [draw_no(day) for day in days]
    keep(engine_url, name, busy, unended=unended)
    with served(engine_url, name, NOW) as stub:
        yield stub, Busy(busy.shops, busy.terminals, [e for e in busy.events if e.draw_no not in unended])


@pytest.mark.parametrize("back", [0, 14], ids=["the day", "a day compared with"])
def test_a_fall_that_is_only_withheld_is_no_alert(engine_url: str, busy: Busy, back: int) -> None:
    """With a sealed draw on the day, or one it is compared with, the game counts on neither side, and that is told."""
    with sealed(engine_url, busy, f"busy_alerts_{back}", [YESTERDAY - DAY * back]) as (stub, visible):
        answer = stub.Alerts(pb.AlertsRequest())
        other = stub.Alerts(pb.AlertsRequest(day=(YESTERDAY - DAY).isoformat()))
        cards = [
            card.alerts
            for shop in busy.shops
            for card in [stub.Outlet(pb.OutletRequest(outlet_id=shop.outlet, compare=pb.COMPARISON_PREVIOUS))]
        ]
    assert rows_of(answer.alerts) == expected(visible, YESTERDAY, left_out=["3d"])
    assert sorted(row for alerts in cards for row in rows_of(alerts)) == sorted(rows_of(answer.alerts))
    assert list(answer.games_left_out) == ["3d"]
    assert "福彩3D" in answer.note_zh
    assert "until it ends" in answer.note_en
    if not back:
        naive = {row[:2] for row in expected(visible, YESTERDAY)} - {row[:2] for row in expected(busy, YESTERDAY)}
        assert len(naive) > 2
        assert not naive & {row[:2] for row in rows_of(answer.alerts)}
    installed, active = terminals(busy, YESTERDAY, skipped=[YESTERDAY - DAY * back])
    degraded = [one.actual.count for one in answer.alerts if one.rule == "active_terminals"]
    assert degraded == ([active] if 100 * active < 96 * installed else [])
    assert not other.games_left_out
    assert rows_of(other.alerts) == expected(busy, YESTERDAY - DAY)


@pytest.mark.parametrize(
    ("request_", "field", "told"),
    [
        (pb.AlertsRequest(day="2025-02-30"), "day", "no day of the calendar"),
        (pb.AlertsRequest(day="2025-03-11"), "day", "is not over: choose a day up to 2025-03-10"),
        (pb.AlertsRequest(day="2031-01-01"), "day", "is not over"),
        (pb.AlertsRequest(day="2024-01-01"), "day", "is not stored: choose 2024-09-20 to 2025-03-10"),
        (pb.AlertsRequest(rules=["fall", "drop"]), "rules[1]", "choose fall, rise, silence, active_terminals"),
        (pb.AlertsRequest(rules=["fall", "fall"]), "rules[1]", "stands twice"),
        (
            pb.AlertsRequest(selection=pb.Selection(filters=[pb.Filter(dimension="draw", values=["2025069"])])),
            "selection.filters[0].dimension",
            "choose zone, zone_type",
        ),
        (pb.AlertsRequest(page_size=50_001), "page_size", "choose 1 to 50,000"),
    ],
)
def test_a_bad_field_is_named(watch: AnalyticsServiceStub, request_: pb.AlertsRequest, field: str, told: str) -> None:
    """INVALID_ARGUMENT with field, value and the valid choices."""
    with pytest.raises(grpc.RpcError) as caught:
        watch.Alerts(request_)
    assert [one.field for one in violations_of(caught.value) if told in one.description] == [field]


def test_a_token_of_another_question_is_refused(watch: AnalyticsServiceStub) -> None:
    """The token of a page of all rules does not continue the falls."""
    token = watch.Alerts(pb.AlertsRequest(page_size=1)).next_page_token
    assert token
    with pytest.raises(grpc.RpcError) as caught:
        watch.Alerts(pb.AlertsRequest(page_size=1, page_token=token, rules=["fall"]))
    assert "another question" in violations_of(caught.value)[0].description
