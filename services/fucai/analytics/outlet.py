"""One outlet's card: what it is, what it sells against its base, and where it stands. Figures come from the store."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from string import Template

from fucai.analytics import definitions, rates, sums, texts, watch_definitions
from fucai.analytics.alerts import outlet_alerts
from fucai.analytics.asked import Asked
from fucai.analytics.measures import MEASURES, Sums, measurement, sums_of
from fucai.analytics.outlet_days import NET_SALES, NOW, OUTLET, of_days, of_sides, rows
from fucai.analytics.pairing import Begin, pairing, pairing_message, read_period
from fucai.analytics.questions import MAX_ROWS, BadQuestionError
from fucai.analytics.reach import Reach, names, reach
from fucai.analytics.selection import Condition, Selection, merged, read_selection
from fucai.analytics.store import Row
from fucai.analytics.unrated import is_lacking, unrated
from fucai.domain.catalogue import IMPORT_KIND
from fucai.domain.comparison import Pairing
from fucai.domain.periods import Comparison, DayRange, Grain
from fucai.domain.rounding import apportion
from fucai.domain.scale import Average
from fucai.runtime.errors import Violation
from fucai.v1 import analytics_pb2

_MEASURES = tuple(
    MEASURES[name]
    for name in ("sales", "bets", "visits", "companion", "attach_rate", "payouts", "welfare_fund", "commission")
)
_SUMS = tuple(dict.fromkeys(sums_of(_MEASURES)))
_SALES = _SUMS.index("sales")
_LATELY = timedelta(days=31)
_EVER = date(1970, 1, 1)
_MOST = 2 * MAX_ROWS  # figures of the period and its base
_FILTERS = tuple(name for name in texts.FILTERS if name != "outlet")

# Opaque to the search of marks, which would take longer than reading them.
_BESIDE = (
    "if(outlet_id IN (SELECT outlet_id FROM outlet_history"
    " WHERE mgmt_area = {mgmt_area:String} OR zone_type = {zone_type:String}), true, false)"
)

Sold = Mapping[tuple[date, str], Sequence[int]]
"""The sums _SUMS by day and game."""


class UnknownOutletError(Exception):
    """Neither the registry nor a sale knows the outlet; the message names those nearest."""

    def __init__(self, outlet_id: str, near: Sequence[Row]) -> None:
        self.outlet_id = outlet_id
        told = ", ".join(f"{known} {name}".strip() for known, name in near)
        hint = f"did you mean {told}" if told else "the registry has no outlet yet: import one first"
        super().__init__(f"no outlet {outlet_id!r}: {hint}")


@dataclass(frozen=True, slots=True)
class _Question:
    """A checked question: `others` selects events of all outlets, `own` those of this one."""

    outlet_id: str
    days: DayRange
    others: Selection

    @property
    def own(self) -> Selection:
        """The same selection, for this outlet only."""
        return replace(self.others, conditions=(*self.others.conditions, Condition("outlet", (self.outlet_id,))))

    def texts(self) -> Mapping[str, bool]:
        """How texts are made for the selection."""
        return {"today": self.others.today is not None, "as_of": bool(self.others.as_of_ms)}


async def outlet(asked: Asked, request: analytics_pb2.OutletRequest) -> analytics_pb2.OutletResponse:
    """The card, with the alerts of the last day that can be judged, whatever the period.

    Raises:
        BadQuestionError: a field of the request is wrong, or there is no base.
        UnknownOutletError: no such outlet, neither registered nor seen in a sale.
    """
    now = await reach(asked.ask)
    bad: list[Violation] = []
    if not request.outlet_id:
        bad.append(Violation("outlet_id", "is empty: give the id of an outlet"))
    selection = read_selection(request.selection, asked.today, asked.now_ms, bad, allowed=_FILTERS)
    period = read_period(request, now, asked.today, bad, begin=Begin.FOUR_WEEKS)
    if bad or period is None:
        raise BadQuestionError(bad)
    named = {"outlet_id": request.outlet_id}
    versions, last_sale, terminals, found = await asyncio.gather(
        asked.ask(texts.plain("outlet_versions"), named),
        _last_sale(asked, now, request.outlet_id, selection),
        asked.ask(texts.plain("outlet_terminals"), named | {"today": asked.today, "import_kind": IMPORT_KIND}),
        pairing(asked.ask, period, selection),
    )
    if not versions and not last_sale:
        raise UnknownOutletError(
            request.outlet_id, await asked.ask(texts.plain("outlet_near"), {"asked": request.outlet_id})
        )
    question = _Question(request.outlet_id, found.days, selection)
    answer = analytics_pb2.OutletResponse(
        outlet_id=request.outlet_id,
        versions=[_version(row) for row in versions],
        opened=versions[0][10].isoformat() if versions else "",
        closed=versions[0][11].isoformat() if versions and versions[0][11] else "",
        terminals=[str(terminal) for (terminal,) in terminals],
        pairing=pairing_message(found, asked.today),
        last_sale_ms=last_sale,
    )
    sold, (games,), place, alerts = await asyncio.gather(
        _sold(asked, question, found),
        names(asked.ask, ["game"]),
        _place(asked, question, versions),
        outlet_alerts(asked, now, request.outlet_id, as_of_ms=selection.as_of_ms),
    )
    measurements, lacking = await _measure(asked, question, sold, found)
    answer.measurements.extend(measurements)
    answer.alerts.extend(alerts)
    _fill_sales(answer, question, sold, games)
    answer.MergeFrom(place)
    told = [*definitions.of_outlet(_MEASURES), watch_definitions.of_card()]
    answer.about.CopyFrom(asked.about(now, told, lacking))
    return answer


async def _last_sale(asked: Asked, now: Reach, outlet_id: str, selection: Selection) -> int:
    """When the outlet last sold, Unix ms; 0 without any sale. Most sold lately: older days are only read if not."""
    text = last_sale_text(selection.key, today=selection.today is not None, as_of=bool(selection.as_of_ms))
    for since in (now.last_day - _LATELY, _EVER) if now.last_day else ():
        named = {"outlet_id": outlet_id, "since": since}
        ((moment,),) = await asked.ask(text, merged(selection.parameters(), named))
        if moment:
            return int(moment)
    return 0


async def _sold(asked: Asked, question: _Question, found: Pairing) -> Sold:
    """The sums by day and game, of the period and its base."""
    own = question.own
    text = texts.figures(Grain.DAY, Comparison.NONE, ("game",), own.key, **question.texts(), further=_SUMS, sides=True)
    rows = await asked.ask(
        text,
        merged(
            of_sides(found.days, found.base),
            {"rows": _MOST + 1},
            own.parameters(),
            await rates.parameters(asked.ask, _SUMS),
        ),
    )
    if len(rows) > _MOST:
        told = f"{question.days} and its base have more than {_MOST:,} figures: ask for a shorter period"
        raise BadQuestionError([Violation("from_day", told)])
    count = len(_SUMS)
    return {(row[0], str(row[2][0])): row[-count:] for row in rows}


async def _measure(
    asked: Asked, question: _Question, sold: Sold, found: Pairing
) -> tuple[list[analytics_pb2.Measurement], list[analytics_pb2.UnratedGame]]:
    """The measures of the period and its base, with growth; and the games for whose sake some are absent."""
    value, before = (_summed(sold, days) for days in (found.days, found.base))
    own = question.own
    lacking = await unrated(asked.ask, _MEASURES, found.days, found.base, own) if is_lacking([value, before]) else []
    return [measurement(one, (value, value), (before, before), found) for one in _MEASURES], lacking


def _summed(sold: Sold, days: DayRange | None) -> Sums:
    """The sums over days, by name."""
    inside = [figures for (day, _), figures in sold.items() if days and day in days]
    return dict(zip(_SUMS, map(sum, zip(*inside, strict=True)) if inside else [0] * len(_SUMS), strict=True))


def _fill_sales(
    answer: analytics_pb2.OutletResponse,
    question: _Question,
    sold: Sold,
    named: Mapping[str, str],
) -> None:
    """The daily curve and the games, the largest sales first."""
    by_day, by_game = Counter[date](), Counter[str]()
    for (day, game), figures in sold.items():
        if day in question.days:
            by_day[day] += figures[_SALES]
            by_game[game] += figures[_SALES]
    answer.daily_sales_fen.extend(by_day[day] for day in question.days)
    games = sorted(by_game, key=lambda game: (-by_game[game], game))
    shares = apportion([by_game[game] for game in games])
    answer.games.extend(
        analytics_pb2.GameShare(game=game, name=named.get(game) or game, sales_fen=by_game[game], share_bp=share)
        for game, share in zip(games, shares, strict=True)
    )


async def _place(asked: Asked, question: _Question, versions: Sequence[Row]) -> analytics_pb2.OutletResponse:
    """Its place in its management area and the average of its zone type, where it has any."""
    others = question.others
    day = others.today or question.days.last
    here = next((row for row in versions if row[0] <= day and (row[1] is None or day <= row[1])), None)
    if here is None:
        return analytics_pb2.OutletResponse()
    area, zone_type = str(here[7]), str(here[5])
    named = {
        "outlet_id": question.outlet_id,
        "mgmt_area": area,
        "zone_type": zone_type,
    }
    ((own, _, place, outlets, type_fen, type_outlets),) = await asked.ask(
        place_text(others.key, **question.texts()), merged(others.parameters(), of_days(question.days), named)
    )
    return analytics_pb2.OutletResponse(
        mgmt_area=area,
        zone_type=zone_type,
        place_in_area=int(place) if area and own > 0 else 0,
        outlets_in_area=int(outlets) if area else 0,
        zone_type_average_fen=Average(int(type_fen), int(type_outlets)).fen if zone_type else None,
    )


@cache
def last_sale_text(conditions: tuple[tuple[str, bool], ...] = (), *, today: bool = False, as_of: bool = False) -> str:
    """The query of the last sale. Parameters: outlet_id, since, those of the selection. Column: last_sale_ms."""
    chosen = texts.where(conditions, today=today, as_of=as_of)
    return Template(texts.plain("outlet_last_sale")).substitute(read=chosen.read, summed=chosen.summed)


@cache
def place_text(conditions: tuple[tuple[str, bool], ...] = (), *, today: bool = False, as_of: bool = False) -> str:
    """The query of an outlet's place. Parameters: outlet_id, mgmt_area, zone_type, days, those of the selection.

    Columns: own_fen, area_sales, place, outlets_in_area, zone_type_fen, zone_type_outlets.
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
            f"{chosen.read} AND {_BESIDE}",
            fine=chosen.fine,
            by_month=not chosen.daily,
            kinds=NET_SALES,
        ),
        summed=chosen.summed,
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
