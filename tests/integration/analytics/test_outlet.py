"""Every figure of an outlet's card equals a recomputation with polars from the raw events and the registry."""

from __future__ import annotations

import random
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import grpc
import polars as pl
import pytest

from fucai.runtime.errors import code_of, violations_of
from fucai.v1 import analytics_pb2 as pb
from fucai.v1.analytics_pb2_grpc import AnalyticsServiceStub
from tests.integration.analytics.oracle import days_between
from tests.integration.analytics.test_profile import shared
from tests.integration.analytics.world import FIRST, FOREVER, LAST, OUTLETS, RATES, World


def frame_of(world: World, games: list[str], *, today: bool) -> pl.DataFrame:
    """A row for each event, with the area and the zone type of its outlet."""
    on = date(2025, 3, 11) if today else None
    sign = {"SALE": 1, "VOID": -1, "PAYOUT": 0}
    return pl.DataFrame(
        [
            {
                "outlet": event.outlet,
                "day": event.day,
                "at": event.sold_at,
                "game": event.game,
                "sales": sign[event.kind] * event.amount_fen,
                "bets": sign[event.kind] * event.bets,
                "companion": event.companion_fen * (event.kind == "SALE" and not event.summary),
                "payouts": event.amount_fen * (event.kind == "PAYOUT"),
                "visit": event.kind == "SALE" and not event.summary,
                "attached": event.kind == "SALE" and not event.summary and event.companion_fen > 0,
                "sold": event.kind == "SALE" and (not event.summary or event.bets > 0),
                "no_welfare_fund": event.kind != "PAYOUT" and not rate(event.game, event.day, 2),
                "no_commission": event.kind != "PAYOUT" and not rate(event.game, event.day, 3),
                "welfare_fund": sign[event.kind] * event.amount_fen * (rate(event.game, event.day, 2) or 0),
                "commission": sign[event.kind] * event.amount_fen * (rate(event.game, event.day, 3) or 0),
                "mgmt_area": world.where("mgmt_area", event.outlet, on or event.day),
                "zone_type": world.where("zone_type", event.outlet, on or event.day),
            }
            for event in world.events
            if event.game in games
        ]
    )


def rate(game: str, day: date, column: int) -> int | None:
    """A rate of a game on a day in basis points."""
    found = [(first, rates[column]) for name, first, *rates in RATES if name == game and first <= day]
    return max(found)[1] if found else None


def measured(part: pl.DataFrame) -> dict[str, Fraction | None]:
    """The measures of a card."""
    visits = int(part["visit"].sum())
    found: dict[str, Fraction | None] = {
        name: Fraction(int(part[name].sum())) for name in ("sales", "bets", "companion", "payouts")
    }
    found["visits"] = Fraction(visits)
    found["attach_rate"] = Fraction(int(part["attached"].sum()), visits) if visits else None
    for name in ("welfare_fund", "commission"):
        found[name] = None if part[f"no_{name}"].any() else Fraction(int(part[name].sum()), 10_000)
    return found


def wire(found: pb.Quantity) -> float:
    """The value of a quantity."""
    return float(getattr(found, found.WhichOneof("value") or "count"))


def check(found: pb.Measurement, value: Fraction | None, base: Fraction | None, *, stored: bool) -> None:
    """A measure with its base, and its growth where both are there."""
    base = base if stored else None
    exact = float if found.measure == "attach_rate" else round
    assert (wire(found.value) if found.HasField("value") else None) == (None if value is None else exact(value))
    assert (wire(found.base) if found.HasField("base") else None) == (None if base is None else exact(base))
    if found.growth.mark in {pb.GROWTH_MARK_RATIO, pb.GROWTH_MARK_PARTIAL_BASE}:
        assert value is not None
        assert base is not None
        assert found.growth.ratio == pytest.approx(float((value - base) / base))


@pytest.mark.parametrize("seed", range(12))
def test_random_cards_equal_a_recomputation(analytics: AnalyticsServiceStub, world: World, seed: int) -> None:
    """Measures with bases, curve, games, place, average and last sale; for every outlet; of all games or of some."""
    draw = random.Random(seed)
    outlet = OUTLETS[seed]
    first = FIRST + timedelta(days=draw.randrange(0, (LAST - FIRST).days - 60))
    last = min(first + timedelta(days=draw.randrange(2, 200)), LAST)
    games = draw.choice([["ssq", "3d", "instant"], ["ssq", "instant"], ["3d"]])
    today = draw.random() < 0.3
    answer = analytics.Outlet(
        pb.OutletRequest(
            outlet_id=outlet,
            from_day=first.isoformat(),
            to_day=last.isoformat(),
            compare=pb.COMPARISON_WEEKDAY,
            selection=pb.Selection(
                filters=[pb.Filter(dimension="game", values=games)] if len(games) < 3 else [],
                attributes=pb.ATTRIBUTE_BASIS_TODAY if today else pb.ATTRIBUTE_BASIS_AS_OF_SALE,
            ),
        )
    )
    everything = frame_of(world, games, today=today)
    within = everything.filter(pl.col("day").is_between(first, last))
    own = everything.filter(pl.col("outlet") == outlet)
    part = own.filter(pl.col("day").is_between(first, last))
    back = timedelta(days=364)
    values, bases = measured(part), measured(own.filter(pl.col("day").is_between(first - back, last - back)))
    assert {one.measure for one in answer.measurements} == values.keys()
    for one in answer.measurements:
        check(one, values[one.measure], bases[one.measure], stored=last - back >= FIRST)
    by_day = dict(part.group_by("day").agg(pl.col("sales").sum()).iter_rows())
    assert list(answer.daily_sales_fen) == [by_day.get(day, 0) for day in days_between(first, last)]
    by_game = part.group_by("game").agg(pl.col("sales").sum()).sort(["sales", "game"], descending=[True, False])
    assert [(one.game, one.sales_fen) for one in answer.games] == by_game.rows()
    assert [one.share_bp for one in answer.games] == shared(by_game["sales"].to_list())
    sold = own.filter("sold")["at"].max()
    assert answer.last_sale_ms == (int(sold.timestamp() * 1000) if sold else 0)  # type: ignore[union-attr]
    beside(answer, world, within, date(2025, 3, 11) if today else last)


def beside(answer: pb.OutletResponse, world: World, within: pl.DataFrame, day: date) -> None:
    """Its place in its area, and the average of its zone type."""
    area, zone_type = (world.where(name, answer.outlet_id, day) for name in ("mgmt_area", "zone_type"))
    assert (answer.mgmt_area, answer.zone_type) == (area, zone_type)
    selling = {
        name: within.filter(pl.col(name) == value)
        .group_by("outlet")
        .agg(pl.col("sales").sum())
        .filter(pl.col("sales") > 0)
        for name, value in (("mgmt_area", area), ("zone_type", zone_type))
    }
    ranked = selling["mgmt_area"].with_columns(pl.col("sales").rank("min", descending=True).alias("place"))
    mine = ranked.filter(pl.col("outlet") == answer.outlet_id)["place"].to_list()
    assert answer.place_in_area == (int(mine[0]) if area and mine else 0)
    assert answer.outlets_in_area == (ranked.height if area else 0)
    alike = selling["zone_type"]["sales"]
    assert answer.HasField("zone_type_average_fen") == bool(zone_type and len(alike))
    if answer.HasField("zone_type_average_fen"):
        assert answer.zone_type_average_fen == round(Fraction(int(alike.sum()), len(alike)))


@pytest.mark.parametrize("outlet", ["000", "003", "007", "011"])
def test_a_card_has_the_registry(analytics: AnalyticsServiceStub, world: World, outlet: str) -> None:
    """Versions newest first, opening, closing and terminals; an outlet that only sells has none of them."""
    answer = analytics.Outlet(pb.OutletRequest(outlet_id=outlet))
    versions = sorted((v for v in world.versions if v.outlet == outlet), key=lambda v: v.first, reverse=True)
    assert [(v.valid_from, v.valid_to, v.zone_id, v.format, v.mgmt_area) for v in answer.versions] == [
        (v.first.isoformat(), "" if v.last == FOREVER else v.last.isoformat(), v.zone, v.format, v.area)
        for v in versions
    ]
    opened, closed = (versions[0].opened, versions[0].closed) if versions else (None, None)
    assert (answer.opened, answer.closed) == tuple(day.isoformat() if day else "" for day in (opened, closed))
    assert list(answer.terminals) == ([f"T{outlet}"] if versions else [])
    assert (answer.pairing.from_day, answer.pairing.to_day) == ("2025-02-11", "2025-03-10")
    assert not answer.alerts


@pytest.mark.parametrize(
    ("asked", "near"), [("00", "000 网点000"), ("网点003", "003 网点003"), ("0O5", "005"), ("x' OR 1=1 --", "0")]
)
def test_an_unknown_outlet_is_not_found_with_near_ones(analytics: AnalyticsServiceStub, asked: str, near: str) -> None:
    """NOT_FOUND names what was asked, and outlets whose id or name is near; SQL in it is only a text."""
    with pytest.raises(grpc.RpcError) as caught:
        analytics.Outlet(pb.OutletRequest(outlet_id=asked))
    assert code_of(caught.value) is grpc.StatusCode.NOT_FOUND
    told = str(caught.value.details())
    assert f"no outlet {asked!r}: did you mean" in told
    assert near in told


@pytest.mark.parametrize(
    ("request_", "field", "told"),
    [
        (pb.OutletRequest(), "outlet_id", "give the id"),
        (pb.OutletRequest(outlet_id="000", from_day="2024-12-31", to_day="2024-01-01"), "to_day", "swap"),
        (pb.OutletRequest(outlet_id="000", from_day="2020-01-01"), "from_day", "first stored day"),
        (pb.OutletRequest(outlet_id="000", compare=9), "compare", "9 is no comparison"),  # type: ignore[arg-type]
        (pb.OutletRequest(outlet_id="000", compare=pb.COMPARISON_BASE_PERIOD), "base_from_day", "is empty"),
        (
            pb.OutletRequest(
                outlet_id="000", selection=pb.Selection(filters=[pb.Filter(dimension="outlet", values=["001"])])
            ),
            "selection.filters[0].dimension",
            "'outlet' is nothing to filter by here",
        ),
    ],
)
def test_a_bad_field_is_named(analytics: AnalyticsServiceStub, request_: Any, field: str, told: str) -> None:
    """INVALID_ARGUMENT, with a violation for the very field that says what is wrong and what is possible."""
    with pytest.raises(grpc.RpcError) as caught:
        analytics.Outlet(request_)
    assert code_of(caught.value) is grpc.StatusCode.INVALID_ARGUMENT
    assert [told in one.description for one in violations_of(caught.value) if one.field == field] == [True]
