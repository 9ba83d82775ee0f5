"""What the ledger found, as messages of the contract. Withholds the figures of sealed draws; decides nothing else."""

from __future__ import annotations

from collections.abc import Mapping

from fucai.adapters.ledger_store import Waived
from fucai.adapters.quarantine_store import Attempt, reason_name, reason_number
from fucai.domain.completeness import State
from fucai.domain.embargo import Embargo
from fucai.domain.quarantine import TOPICS, Judged
from fucai.domain.silence import Silence
from fucai.ledger.conservation import Outcome, RowKey, Sum
from fucai.ledger.desk import Dossier, Listed, Standing
from fucai.ledger.gaps import Gap, TerminalLedger
from fucai.ledger.replay import UNREADABLE_REMEDY, ReplayResult
from fucai.v1 import ledger_pb2 as pb
from fucai.v1 import sales_pb2

_STATES = {
    State.STORED: pb.SEQUENCE_STATE_STORED,
    State.QUARANTINED: pb.SEQUENCE_STATE_QUARANTINED,
    State.WAIVED: pb.SEQUENCE_STATE_WAIVED,
    State.MISSING: pb.SEQUENCE_STATE_MISSING,
}
_STANDINGS = {
    Standing.OPEN: pb.QUARANTINE_STATE_OPEN,
    Standing.STORED: pb.QUARANTINE_STATE_STORED,
    Standing.WAIVED: pb.QUARANTINE_STATE_WAIVED,
    Standing.UNREADABLE: pb.QUARANTINE_STATE_UNREADABLE,
}
_FIGURES = ("amount_fen", "bets", "multiplier", "face_value_fen", "companion_fen")
# What is wrong with these is told without the event's figures; any other detail may spell them out.
_TELLING_NO_FIGURES = frozenset(
    {
        "UNKNOWN_GAME",
        "UNKNOWN_TERMINAL",
        "WRONG_OUTLET",
        "BAD_DRAW_NUMBER",
        "TOO_OLD",
        "IN_THE_FUTURE",
        "BAD_SEQUENCE",
        "BAD_REFERENCE",
        "NOT_A_SUMMARY_TERMINAL",
        "BAD_RECORD",
    }
)


class Answers:
    """Makes messages as of one moment: what is sealed then is withheld, and terminals in flood then are marked."""

    def __init__(self, embargo: Embargo, now_ms: int, flooding: frozenset[str] = frozenset()) -> None:
        self._embargo = embargo
        self._now_ms = now_ms
        self._flooding = flooding

    def entry(self, listed: Listed) -> pb.QuarantinedEvent:
        """An entry in quarantine."""
        entry = listed.entry
        withheld = entry.readable and self._hides(entry.event)
        event = sales_pb2.SalesEvent()
        event.CopyFrom(entry.event)
        for field in _FIGURES if withheld else ():
            event.ClearField(field)  # type: ignore[arg-type]  # names of the contract
        topic, partition, offset = entry.place
        return pb.QuarantinedEvent(
            terminal_id=entry.number.terminal_id,
            epoch=entry.number.epoch,
            seq=entry.number.seq,
            outlet_id=entry.outlet_id,
            reason=entry.reason,
            field=entry.field,
            detail=_told(entry.detail, reason_name(entry.reason), withheld=withheld),
            event=event if entry.readable else None,
            withheld=withheld,
            state=_STANDINGS[listed.standing],
            in_flood=entry.number.terminal_id in self._flooding,
            received_at_ms=entry.received_at_ms,
            collector_id=entry.collector_id,
            kafka_topic=TOPICS[topic] if topic < len(TOPICS) else "",
            kafka_partition=partition,
            kafka_offset=offset,
            raw_bytes=entry.raw_bytes,
            raw_sha256=entry.raw_sha256,
        )

    def dossier(self, found: Dossier) -> pb.GetQuarantinedResponse:
        """All that is known of one number."""
        withheld = any(listed.entry.readable and self._hides(listed.entry.event) for listed in found.entries)
        return pb.GetQuarantinedResponse(
            entries=[self.entry(listed) for listed in found.entries],
            replays=[_replay(attempt, withheld=withheld) for attempt in found.replays],
            waivers=[waiver_message(waived) for waived in found.waivers],
            remedy=_remedy(found),
        )

    def replayed(self, result: ReplayResult, next_page_token: str) -> pb.ReplayQuarantinedResponse:
        """What replaying did."""
        return pb.ReplayQuarantinedResponse(
            replayed=result.replayed,
            still_bad=[self._still_bad(bad) for bad in result.still_bad],
            stored_before=result.standings[Standing.STORED],
            waived=result.standings[Standing.WAIVED],
            unreadable=result.standings[Standing.UNREADABLE],
            repeated_numbers=result.repeated_numbers,
            next_page_token=next_page_token,
            registry_revision=result.revision,
        )

    def _still_bad(self, bad: Judged) -> pb.StillBad:
        number, finding = bad.entry.number, bad.finding
        return pb.StillBad(
            terminal_id=number.terminal_id,
            epoch=number.epoch,
            seq=number.seq,
            reason=finding.reason,
            field=finding.field,
            detail=_told(finding.detail, reason_name(finding.reason), withheld=self._hides(bad.entry.event)),
        )

    def _hides(self, event: sales_pb2.SalesEvent) -> bool:
        return self._embargo.hides_event(event.game, event.draw_no, self._now_ms, daily_summary=event.daily_summary)


def gap_message(gap: Gap, since_ms: int) -> pb.Gap:
    """A missing range."""
    return pb.Gap(
        terminal_id=gap.terminal_id,
        outlet_id=gap.outlet_id,
        epoch=gap.epoch,
        first_seq=gap.first,
        last_seq=gap.last,
        since_ms=since_ms,
    )


def terminal_message(terminal_id: str, found: TerminalLedger) -> pb.GetTerminalLedgerResponse:
    """The ledger of one terminal."""
    answer = pb.GetTerminalLedgerResponse(
        terminal_id=terminal_id,
        outlet_id=found.outlet_id,
        waivers=[waiver_message(waived) for waived in found.waivers],
    )
    for epoch, (account, stretches) in found.accounts.items():
        sums = dict.fromkeys(State, 0)
        for stretch in stretches:
            sums[stretch.state] += stretch.numbers
        answer.epochs.add(
            epoch=epoch,
            highest_seq=account.highest,
            ranges=[
                pb.SequenceRange(
                    state=_STATES[stretch.state],
                    first_seq=stretch.first,
                    last_seq=stretch.last,
                    since_ms=found.since_ms.get((terminal_id, epoch, stretch.last), 0)
                    if stretch.state is State.MISSING
                    else 0,
                )
                for stretch in stretches
            ],
            stored=sums[State.STORED],
            quarantined=sums[State.QUARANTINED],
            waived=sums[State.WAIVED],
            missing=sums[State.MISSING],
        )
    return answer


def silence_message(silence: Silence) -> pb.SilentTerminal:
    """A silent terminal."""
    return pb.SilentTerminal(
        terminal_id=silence.terminal_id,
        outlet_id=silence.outlet_id,
        last_event_ms=silence.last_event_ms,
        silent_hours=silence.hours,
        silent_open_hours=silence.open_hours,
        expected=silence.expected,
        reason=silence.reason.en,
        reason_zh=silence.reason.zh,
    )


def waiver_message(waived: Waived) -> pb.Waiver:
    """A waiver."""
    return pb.Waiver(
        terminal_id=waived.terminal_id,
        epoch=waived.epoch,
        first_seq=waived.first,
        last_seq=waived.last,
        reason=waived.reason,
        waived_by=waived.waived_by,
        at_ms=waived.at_ms,
    )


def conservation_message(key: RowKey, row: Mapping[Outcome, Sum]) -> pb.ConservationRow:
    """A row of the count; without figures where they are withheld."""
    answer = pb.ConservationRow(outlet_id=key.outlet_id, game=key.game, draw_no=key.draw_no, withheld=key.withheld)
    if not key.withheld:
        for outcome, field in _COUNTS.items():
            total = row.get(outcome, Sum())
            getattr(answer, field).CopyFrom(pb.EventCount(events=total.events, amount_fen=total.amount_fen))
    return answer


_COUNTS = {
    Outcome.STORED: "stored",
    Outcome.DUPLICATE: "duplicate",
    Outcome.OPEN: "quarantined_open",
    Outcome.WAIVED: "quarantined_waived",
    Outcome.STORED_SINCE: "quarantined_stored",
}


def _replay(attempt: Attempt, *, withheld: bool) -> pb.Replay:
    return pb.Replay(
        outcome=pb.ReplayOutcome.Value(f"REPLAY_OUTCOME_{attempt.outcome}"),
        reason=reason_number(attempt.reason),
        field=attempt.field,
        detail=_told(attempt.detail, attempt.reason, withheld=withheld),
        replayed_by=attempt.replayed_by,
        at_ms=attempt.at_ms,
    )


def _told(detail: str, reason: str, *, withheld: bool) -> str:
    return "" if withheld and reason not in _TELLING_NO_FIGURES else detail


def _remedy(found: Dossier) -> str:
    standings = {listed.standing for listed in found.entries}
    if Standing.OPEN in standings:
        return "mend the cause that the detail names, then `fucai quarantine replay`; or `fucai quarantine waive` it"
    if Standing.UNREADABLE in standings:
        return UNREADABLE_REMEDY
    if Standing.WAIVED in standings:
        return "nothing: it was waived, which is kept for ever; --include-waived replays it all the same"
    return "nothing: its number is stored"
