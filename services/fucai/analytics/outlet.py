"""One outlet's card: what it is, what it sells against its base, and where it stands. Figures come from the store."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from string import Template

from fucai.analytics import definitions, sums, texts, watch_definitions
from fucai.analytics.alerts import last_day, outlet_alerts, watched_days
from fucai.analytics.asked import Asked
from fucai.analytics.judging import DaySold
from fucai.analytics.measures import MEASURES, Sums, measurement, sums_of
from fucai.analytics.open_outlets import OpenOutlet
from fucai.analytics.outlet_days import NET_SALES, NOW, OUTLET, hold_months, of_days, rows
from fucai.analytics.outlet_sold import OfGame, Sold, last_sale, own, sold
from fucai.analytics.pairing import Begin, pairing, pairing_message, read_period
from fucai.analytics.questions import BadQuestionError
from fucai.analytics.reach import Reach, names, reach
from fucai.analytics.selection import Selection, merged, read_selection
from fucai.analytics.store import Row
from fucai.analytics.unrated import is_lacking, unrated
from fucai.domain.catalogue import IMPORT_KIND
from fucai.domain.comparison import Pairing
from fucai.domain.periods import DayRange
from fucai.domain.rounding import apportion
from fucai.domain.scale import Average
from fucai.runtime.errors import Violation
from fucai.v1 import analytics_pb2

_MEASURES = tuple(
    MEASURES[name]
    for name in ("sales", "bets", "visits", "companion", "attach_rate", "payouts", "welfare_fund", "commission")
)
_SUMS = tuple(dict.fromkeys(sums_of(_MEASURES)))
_FILTERS = tuple(name for name in texts.FILTERS if name != "outlet")

# Opaque (in `if`) to the search of marks, which would take longer than reading them.
_BESIDE = (
    "outlet_id IN (SELECT outlet_id FROM outlet_history"
    " WHERE mgmt_area = {mgmt_area:String} OR zone_type = {zone_type:String})"
)


class UnknownOutletError(Exception):
    """Neither the registry nor a sale knows the outlet; the message names those nearest."""

    def __init__(self, outlet_id: str, near: Sequence[Row]) -> None:
        self.outlet_id = outlet_id
        told = ", ".join(f"{known} {name}".strip() for known, name in near)
        hint = f"did you mean {told}" if told else "the registry has no outlet yet: import one first"
        super().__init__(f"no outlet {outlet_id!r}: {hint}")


@dataclass(frozen=True, slots=True)
class _Question:
    """A checked question: `others` selects events of all outlets."""

    outlet_id: str
    days: DayRange
    others: Selection


async def outlet(asked: Asked, request: analytics_pb2.OutletRequest) -> analytics_pb2.OutletResponse:
    """The card, with the alerts of the last day that can be judged, whatever the period.

    Raises:
        BadQuestionError: a field of the request is wrong, or there is no base.
        UnknownOutletError: no such outlet, neither registered nor seen in a sale.
    """
    named = {"outlet_id": request.outlet_id}
    now, versions, terminals = await asyncio.gather(
        reach(asked.ask),
        asked.ask(texts.plain("outlet_versions"), named),
        asked.ask(texts.plain("outlet_terminals"), named | {"today": asked.today, "import_kind": IMPORT_KIND}),
    )
    bad: list[Violation] = []
    if not request.outlet_id:
        bad.append(Violation("outlet_id", "is empty: give the id of an outlet"))
    selection = read_selection(request.selection, asked.today, asked.now_ms, bad, allowed=_FILTERS)
    period = read_period(request, now, asked.today, bad, begin=Begin.FOUR_WEEKS)
    if bad or period is None:
        raise BadQuestionError(bad)
    found, (games,) = await asyncio.gather(pairing(asked.ask, period, selection), names(asked.ask, ["game"]))
    question = _Question(request.outlet_id, found.days, selection)
    judged = last_day(asked, now)
    watched = watched_days(judged) if judged and not selection.conditions else []
    own_sales, place = await asyncio.gather(
        sold(asked.ask, request.outlet_id, selection, found, _SUMS, watched), _place(asked, question, versions)
    )
    alerts = await _alerts(asked, question, now, versions, _by_day(question, own_sales) if watched else None)
    last_sale_ms = own_sales.last_sale_ms
    if not last_sale_ms or now.last_day is None or found.days.last < now.last_day:
        last_sale_ms = await last_sale(asked.ask, request.outlet_id, selection, now.last_day)
    if not versions and not last_sale_ms:
        raise UnknownOutletError(
            request.outlet_id, await asked.ask(texts.plain("outlet_near"), {"asked": request.outlet_id})
        )
    measurements, lacking = await _measure(asked, question, own_sales, found)
    answer = analytics_pb2.OutletResponse(
        outlet_id=request.outlet_id,
        versions=[_version(row) for row in versions],
        opened=versions[0][10].isoformat() if versions else "",
        closed=versions[0][11].isoformat() if versions and versions[0][11] else "",
        terminals=[str(terminal) for (terminal,) in terminals],
        pairing=pairing_message(found, asked.today),
        last_sale_ms=last_sale_ms,
        measurements=measurements,
        alerts=alerts,
    )
    _fill_sales(answer, question, own_sales, games)
    answer.MergeFrom(place)
    told = [*definitions.of_outlet(_MEASURES), watch_definitions.of_card()]
    answer.about.CopyFrom(asked.about(now, told, lacking))
    return answer


async def _alerts(
    asked: Asked, question: _Question, now: Reach, versions: Sequence[Row], sold: Collection[DaySold] | None
) -> list[analytics_pb2.Alert]:
    """Those of the last day that can be judged, if it was open then; what it sold is asked for if not known."""
    day = last_day(asked, now)
    here = _on(versions, day) if day else None
    if day is None or here is None:
        return []
    _, _, name, _, zone_name, _, _, area, _, _, opened, closed = here
    if opened > day or (closed is not None and closed <= day):
        return []
    outlet_ = OpenOutlet(question.outlet_id, str(name), str(zone_name), str(area), opened)
    return await outlet_alerts(asked, now, day, outlet_, sold, as_of_ms=question.others.as_of_ms)


def _by_day(question: _Question, own_sales: Sold) -> list[DaySold]:
    """What it sold on the watched days, by game."""
    return [
        DaySold(question.outlet_id, game, day, sold.by_day.get(day, 0), day in sold.bets)
        for game, sold in own_sales.watched.items()
        for day in sold.by_day.keys() | sold.bets.keys()
    ]


def _on(versions: Sequence[Row], day: date) -> Row | None:
    """The version of a day."""
    return next((row for row in versions if row[0] <= day and (row[1] is None or day <= row[1])), None)


async def _measure(
    asked: Asked, question: _Question, own_sales: Sold, found: Pairing
) -> tuple[list[analytics_pb2.Measurement], list[analytics_pb2.UnratedGame]]:
    """The measures of the period and its base, with growth; and the games for whose sake some are absent."""
    value, before = _summed(own_sales.now), _summed(own_sales.base)
    lacking: list[analytics_pb2.UnratedGame] = []
    if is_lacking([value, before]):
        chosen = own(question.outlet_id, question.others)
        lacking = await unrated(asked.ask, _MEASURES, found.days, found.base, chosen)
    return [measurement(one, (value, value), (before, before), found) for one in _MEASURES], lacking


def _summed(games: Mapping[str, OfGame]) -> Sums:
    """The sums over games, by name."""
    return {name: sum(game.sums[name] for game in games.values()) for name in _SUMS}


def _fill_sales(
    answer: analytics_pb2.OutletResponse, question: _Question, own_sales: Sold, named: Mapping[str, str]
) -> None:
    """The daily curve and the games, the largest sales first."""
    by_day = Counter[date]()
    for game in own_sales.now.values():
        by_day.update(game.by_day)
    answer.daily_sales_fen.extend(by_day[day] for day in question.days)
    by_game = {code: game.sums["sales"] for code, game in own_sales.now.items()}
    games = sorted(by_game, key=lambda code: (-by_game[code], code))
    shares = apportion([by_game[code] for code in games])
    answer.games.extend(
        analytics_pb2.GameShare(game=code, name=named.get(code) or code, sales_fen=by_game[code], share_bp=share)
        for code, share in zip(games, shares, strict=True)
    )


async def _place(asked: Asked, question: _Question, versions: Sequence[Row]) -> analytics_pb2.OutletResponse:
    """Its place in its management area and the average of its zone type, where it has any."""
    others = question.others
    day = others.today or question.days.last
    here = _on(versions, day)
    if here is None:
        return analytics_pb2.OutletResponse()
    area, zone_type = str(here[7]), str(here[5])
    named = {
        "outlet_id": question.outlet_id,
        "mgmt_area": area,
        "zone_type": zone_type,
    }
    text = place_text(others.key, **others.switches, months=hold_months(question.days))
    ((own, _, place, outlets, type_fen, type_outlets),) = await asked.ask(
        text, merged(others.parameters(), of_days(question.days), named)
    )
    return analytics_pb2.OutletResponse(
        mgmt_area=area,
        zone_type=zone_type,
        place_in_area=int(place) if area and own > 0 else 0,
        outlets_in_area=int(outlets) if area else 0,
        zone_type_average_fen=Average(int(type_fen), int(type_outlets)).fen if zone_type else None,
    )


@cache
def place_text(
    conditions: tuple[tuple[str, bool], ...] = (), *, today: bool = False, as_of: bool = False, months: bool = True
) -> str:
    """The query of an outlet's place. Parameters: outlet_id, mgmt_area, zone_type, days, those of the selection.

    Without `months` no month lies whole in the days. Columns: own_fen, area_sales, place, outlets_in_area,
    zone_type_fen, zone_type_outlets.
    """
    chosen = texts.where(conditions, today=today, as_of=as_of)
    area, zone_type = (f"arrayElement({texts.groups([name], today=today)}, 1)" for name in ("mgmt_area", "zone_type"))
    return Template(texts.plain("outlet_place")).substitute(
        area=area,
        zone_type=zone_type,
        sales=sums.SUMS["sales"].term,
        rows=rows(
            sums.columns_of(["sales"]),
            {OUTLET},
            NOW,
            chosen,
            by_month=months and not chosen.daily,
            kinds=NET_SALES,
            turning_of=_BESIDE,
        ),
        summed=f"{chosen.summed} AND if({_BESIDE}, true, false)",
    )


def _version(row: Row) -> analytics_pb2.OutletVersion:
    first, last, name, zone_id, zone_name, zone_type, district, area, format_, channel_class, *_ = row
    return analytics_pb2.OutletVersion(
        valid_from=first.isoformat(),
        valid_to=last.isoformat() if last else "",
        name=name,
        zone_id=zone_id,
        zone_name=zone_name,
        zone_type=zone_type,
        district=district,
        mgmt_area=area,
        format=format_,
        channel_class=channel_class,
    )
