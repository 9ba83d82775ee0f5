"""Live sales of many outlets: which events each till records in a span of time. Sends nothing; time is passed in."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import accumulate
from random import Random
from zoneinfo import ZoneInfo

from fucai.domain.chain import chain_next, chain_start, event_bytes
from fucai.terminal.known import TILL_KIND, Known
from fucai.terminal.model_market import GamePlay, Market
from fucai.terminal.model_outlets import OutletProfile
from fucai.terminal.model_tickets import VOID_SHARE, Ticket, companion_fen
from fucai.v1.sales_pb2 import EventKind, EventReference, SalesBatch, SalesEvent

EVENTS_A_BATCH = 200
_HOUR_MS = 3_600_000
_VOID_AFTER_MS = (10_000, 120_000)
_PAYOUT_AFTER_MS = (20_000, 900_000)
_NORMAL_ABOVE = 50


@dataclass(slots=True)
class Till:
    """A terminal at work: its next sequence number, and events not handed over yet."""

    terminal_id: str
    outlet_id: str
    epoch: int
    recorded: int = 0
    events: list[SalesEvent] = field(default_factory=list)
    _digest: bytes = field(init=False)

    def __post_init__(self) -> None:
        self._digest = chain_start(self.terminal_id, self.epoch)

    def record(self, event: SalesEvent) -> SalesEvent:
        """Numbers an event and keeps it for the next batch."""
        self.recorded += 1
        event.seq = self.recorded
        self.events.append(event)
        return event

    def go_on(self, epoch: int, recorded: int) -> None:
        """Goes on behind what an outbox has: the next event gets the number after `recorded`."""
        self.epoch, self.recorded = epoch, recorded

    def take_events(self) -> list[SalesEvent]:
        """Takes the events out."""
        events, self.events = self.events, []
        return events

    def batches(self) -> Iterator[SalesBatch]:
        """Takes the events out, as batches of at most 200, each with the chain's digest."""
        events = self.take_events()
        for start in range(0, len(events), EVENTS_A_BATCH):
            part = events[start : start + EVENTS_A_BATCH]
            for event in part:
                self._digest = chain_next(self._digest, event_bytes(event))
            yield SalesBatch(
                terminal_id=self.terminal_id,
                outlet_id=self.outlet_id,
                epoch=self.epoch,
                events=part,
                digest=self._digest,
            )


def tills(known: Known, day: str, epoch: int) -> list[Till]:
    """The tills that stand in an outlet on the day (YYYY-MM-DD), each with an outbox of its own under `epoch`."""
    found = []
    for terminal_id in known.terminals:
        terminal = known.terminal_on(terminal_id, day)
        if terminal is not None and terminal.kind == TILL_KIND and known.outlet_on(terminal.outlet_id, day) is not None:
            found.append(Till(terminal_id, terminal.outlet_id, epoch))
    return found


@dataclass(slots=True)
class _Counter:
    """An outlet in one hour: what it sells, as expected tickets an hour by game."""

    profile: OutletProfile
    tills: list[Till]
    plays: list[GamePlay]
    cumulated: list[float]

    @property
    def hourly(self) -> float:
        return self.cumulated[-1] if self.cumulated else 0.0


class LiveSales:
    """Customers at the tills. Call `advance` (time runs) or `burst` (a number of events) with rising instants."""

    def __init__(self, market: Market, tills_at_work: list[Till], random: Random) -> None:
        self.tills = tills_at_work
        self._market = market
        self._random = random
        self._hour = -1
        self._counters: list[_Counter] = []
        self._cumulated: list[float] = []
        self._later: list[tuple[int, int, Till, SalesEvent]] = []
        self._order = 0
        self._tills_by_outlet: dict[str, list[Till]] = {}
        for till in tills_at_work:
            self._tills_by_outlet.setdefault(till.outlet_id, []).append(till)

    def advance(self, from_ms: int, to_ms: int) -> None:
        """Records what happens from one instant up to another, customers coming as the hour expects."""
        while from_ms < to_ms:
            self._open_hour(from_ms)
            until_ms = min(to_ms, (from_ms // _HOUR_MS + 1) * _HOUR_MS)
            happened: list[tuple[int, _Counter]] = []
            for counter in self._counters:
                count = _poisson(counter.hourly * (until_ms - from_ms) / _HOUR_MS, self._random)
                happened += [(self._random.randrange(from_ms, until_ms), counter) for _ in range(count)]
            happened.sort(key=lambda one: one[0])
            for at_ms, counter in happened:
                self._happen_until(at_ms)
                self._sell(counter, at_ms)
            self._happen_until(until_ms)
            from_ms = until_ms

    def burst(self, events: int, from_ms: int, to_ms: int) -> None:
        """Records that many events, spread evenly over the span and by weight over the outlets."""
        self._open_hour(to_ms)
        if not self._cumulated or not self._cumulated[-1]:
            return
        done = 0
        while done < events:
            at_ms = from_ms + (to_ms - from_ms) * done // events
            done += self._happen_until(at_ms)
            counter = self._random.choices(self._counters, cum_weights=self._cumulated)[0]
            self._sell(counter, at_ms)
            done += 1

    @property
    def zone(self) -> ZoneInfo:
        """The business time zone."""
        return self._market.zone

    def _open_hour(self, at_ms: int) -> None:
        hour = at_ms // _HOUR_MS
        if hour == self._hour:
            return
        self._hour = hour
        moment = datetime.fromtimestamp(at_ms / 1000, self._market.zone)
        day = moment.toordinal()
        plays = self._market.plays_on(day)
        self._counters = []
        for outlet_id, at_outlet in self._tills_by_outlet.items():
            outlet = self._market.profile_on(outlet_id, day)
            if outlet is None or not plays:
                continue
            hourly = [
                self._market.expected_fen(outlet, play, day)
                * self._market.hour_shares(outlet, play, day)[moment.hour]
                / play.printer.mean_fen
                for play in plays
            ]
            self._counters.append(_Counter(outlet, at_outlet, plays, list(accumulate(hourly))))
        self._cumulated = list(accumulate(counter.hourly for counter in self._counters))

    def _sell(self, counter: _Counter, at_ms: int) -> None:
        random = self._random
        play = random.choices(counter.plays, cum_weights=counter.cumulated)[0]
        till = counter.tills[0] if len(counter.tills) == 1 else random.choice(counter.tills)
        ticket = play.printer.ticket(random)
        draw_no = self._draw_no(play, at_ms)
        sale = till.record(
            SalesEvent(
                kind=EventKind.EVENT_KIND_SALE,
                game=play.game.game,
                draw_no=draw_no,
                amount_fen=ticket.amount_fen,
                bets=ticket.bets,
                multiplier=ticket.multiplier,
                face_value_fen=ticket.face_value_fen,
                ticket_serial=f"{till.terminal_id}-{till.epoch}-{till.recorded + 1}",
                sold_at_ms=at_ms,
                companion_fen=companion_fen(counter.profile.companion_share, random),
            )
        )
        if random.random() < VOID_SHARE:
            self._void(till, sale, at_ms)
        else:
            self._pay_out(till, play, ticket, at_ms)

    def _void(self, till: Till, sale: SalesEvent, at_ms: int) -> None:
        void = SalesEvent()
        void.CopyFrom(sale)
        void.kind = EventKind.EVENT_KIND_VOID
        void.companion_fen = 0
        void.refers_to.CopyFrom(EventReference(terminal_id=till.terminal_id, epoch=till.epoch, seq=sale.seq))
        self._postpone(till, void, at_ms + self._random.randint(*_VOID_AFTER_MS))

    def _pay_out(self, till: Till, play: GamePlay, ticket: Ticket, at_ms: int) -> None:
        prize_fen = play.printer.prize_fen(ticket, self._random)
        if not prize_fen:
            return
        payout = SalesEvent(kind=EventKind.EVENT_KIND_PAYOUT, game=play.game.game, amount_fen=prize_fen, bets=1)
        if play.draws is None:
            payout.face_value_fen = ticket.face_value_fen
        else:
            moment = datetime.fromtimestamp(at_ms / 1000, self._market.zone)
            payout.draw_no = play.draws.draw_no(play.draws.last_draw(moment))
        self._postpone(till, payout, at_ms + self._random.randint(*_PAYOUT_AFTER_MS))

    def _postpone(self, till: Till, event: SalesEvent, at_ms: int) -> None:
        event.sold_at_ms = at_ms
        self._order += 1
        heapq.heappush(self._later, (at_ms, self._order, till, event))

    def _happen_until(self, at_ms: int) -> int:
        happened = 0
        while self._later and self._later[0][0] <= at_ms:
            _, _, till, event = heapq.heappop(self._later)
            till.record(event)
            happened += 1
        return happened

    def _draw_no(self, play: GamePlay, at_ms: int) -> str:
        if play.draws is None:
            return ""
        moment = datetime.fromtimestamp(at_ms / 1000, self._market.zone)
        return play.draws.draw_no(play.draws.open_draw(moment))


def _poisson(mean: float, random: Random) -> int:
    if mean > _NORMAL_ABOVE:
        return max(0, round(random.gauss(mean, math.sqrt(mean))))
    count, left = 0, math.exp(-mean)
    drawn = random.random()
    while drawn > left:
        drawn *= random.random()
        count += 1
    return count
