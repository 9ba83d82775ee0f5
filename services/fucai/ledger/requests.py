"""Reads requests: every bad field is named with its value and the valid choices. Asks nothing of the store."""

from __future__ import annotations

from collections.abc import Iterable

from fucai.adapters.conservation_store import Scope
from fucai.adapters.quarantine_store import Selection, reason_name
from fucai.ledger import paging
from fucai.ledger.conservation import By
from fucai.ledger.desk import Place, Standing, WaiveRequest
from fucai.ledger.replay import ReplayRequest
from fucai.runtime.errors import Violation
from fucai.v1 import ledger_pb2 as pb
from fucai.v1 import sales_pb2

MAX_REPLAY = 5_000
DEFAULT_REPLAY = 1_000
DEFAULT_LIST = 100
DEFAULT_HOURS = 24.0
MAX_HOURS = 24.0 * 366 * 100
MAX_TEXT = 1_000
_MAX_MS = 2**53

_STANDINGS = {
    pb.QUARANTINE_STATE_UNSPECIFIED: frozenset({Standing.OPEN, Standing.UNREADABLE}),
    pb.QUARANTINE_STATE_OPEN: frozenset({Standing.OPEN}),
    pb.QUARANTINE_STATE_STORED: frozenset({Standing.STORED}),
    pb.QUARANTINE_STATE_WAIVED: frozenset({Standing.WAIVED}),
    pb.QUARANTINE_STATE_UNREADABLE: frozenset({Standing.UNREADABLE}),
}
_BY = {
    pb.CONSERVATION_BY_UNSPECIFIED: By.GAME,
    pb.CONSERVATION_BY_GAME: By.GAME,
    pb.CONSERVATION_BY_OUTLET: By.OUTLET,
    pb.CONSERVATION_BY_DRAW: By.DRAW,
    pb.CONSERVATION_BY_OUTLET_AND_DRAW: By.OUTLET_AND_DRAW,
}


class BadRequestError(Exception):
    """The request cannot be answered as it is; `violations` name field, value and valid choices."""

    def __init__(self, violations: Iterable[Violation]) -> None:
        self.violations = tuple(violations)
        super().__init__("; ".join(f"{violation.field}: {violation.description}" for violation in self.violations))


def read_hours(request: pb.ListSilentRequest) -> float:
    """The threshold of a silence.

    Raises:
        BadRequestError: it is below zero, no number, or beyond a century.
    """
    hours = request.threshold_hours
    if not 0 <= hours <= MAX_HOURS:
        text = f"{hours:g}: choose hours above 0, or 0 for {DEFAULT_HOURS:g}"
        raise BadRequestError([Violation("threshold_hours", text)])
    return hours or DEFAULT_HOURS


def read_page_size(size: int, *, default: int = paging.MAX_PAGE, most: int = paging.MAX_PAGE) -> int:
    """The size of a page.

    Raises:
        BadRequestError: it is too large.
    """
    if size > most:
        raise BadRequestError([Violation("page_size", f"{size}: choose 1 to {most}, or 0 for {default}")])
    return size or default


def read_start(token: str) -> int:
    """How many items of a list were on the pages before.

    Raises:
        BadRequestError: the token is none that was given out.
    """
    bad: list[Violation] = []
    after = _token(token, [int], bad)
    if bad:
        raise BadRequestError(bad)
    return int(after[0]) if after is not None else 0


def read_listing(
    request: pb.ListQuarantinedRequest,
) -> tuple[Selection, frozenset[Standing], int, Place | None]:
    """Which entries to list, how they stand, how many, and from where on.

    Raises:
        BadRequestError: with one violation for each bad field.
    """
    bad: list[Violation] = []
    selection = _selection(request.selection, bad)
    standings = frozenset(Standing) if request.any_state else _STANDINGS.get(request.state)
    if standings is None:
        bad.append(Violation("state", f"{request.state} is no state: choose open, stored, waived or unreadable"))
    after = _token(request.page_token, [int] * 5, bad)
    if bad or standings is None:
        raise BadRequestError(bad)
    place = None if after is None else (int(after[0]), int(after[1]), int(after[2]), int(after[3]), int(after[4]))
    return selection, standings, read_page_size(request.page_size, default=DEFAULT_LIST), place


def read_replay(request: pb.ReplayQuarantinedRequest) -> ReplayRequest:
    """Which entries to replay.

    Raises:
        BadRequestError: with one violation for each bad field.
    """
    bad: list[Violation] = []
    selection = _selection(request.selection, bad)
    if not selection.selects and not bad:
        bad.append(Violation("selection", "selects nothing away; name a reason, an outlet, a terminal or a time"))
    name = _text("replayed_by", request.replayed_by, bad)
    after = _token(request.page_token, [str, int, int], bad)
    if bad:
        raise BadRequestError(bad)
    rows = read_page_size(request.page_size, default=DEFAULT_REPLAY, most=MAX_REPLAY)
    place = None if after is None else (str(after[0]), int(after[1]), int(after[2]))
    return ReplayRequest(selection, name, request.include_waived, rows, place)


def read_waiver(request: pb.WaiveSequencesRequest) -> WaiveRequest:
    """What to waive.

    Raises:
        BadRequestError: with one violation for each bad field.
    """
    bad: list[Violation] = []
    if request.last_seq < request.first_seq:
        bad.append(Violation("last_seq", f"{request.last_seq} is below first_seq {request.first_seq}: swap them"))
    reason = _text("reason", request.reason, bad)
    name = _text("waived_by", request.waived_by, bad)
    if bad:
        raise BadRequestError(bad)
    return WaiveRequest(request.terminal_id, request.epoch, request.first_seq, request.last_seq, reason, name)


def read_count(request: pb.GetConservationRequest) -> tuple[By, Scope]:
    """What to count, and by what.

    Raises:
        BadRequestError: with one violation for each bad field.
    """
    by = _BY.get(request.by)
    if by is None:
        raise BadRequestError([Violation("by", f"{request.by}: choose game, outlet, draw, or outlet and draw")])
    if by is By.OUTLET_AND_DRAW and not (request.outlet_id or request.draw_no):
        text = "outlet and draw are too many rows for the whole channel: name an outlet or a draw number"
        raise BadRequestError([Violation("by", text)])
    return by, Scope(request.outlet_id, request.game, request.draw_no)


def _selection(asked: pb.QuarantineSelection, bad: list[Violation]) -> Selection:
    if asked.reason not in sales_pb2.QuarantineReason.values():
        bad.append(Violation("selection.reason", f"{asked.reason} is no reason of this version"))
        return Selection()
    times = {"from_ms": asked.from_ms, "before_ms": asked.before_ms}
    bad += [
        Violation(f"selection.{field}", f"{at_ms} is no time in Unix ms")
        for field, at_ms in times.items()
        if not 0 <= at_ms <= _MAX_MS
    ]
    if asked.before_ms and asked.before_ms <= asked.from_ms:
        bad.append(Violation("selection.before_ms", f"{asked.before_ms} is not after from_ms {asked.from_ms}"))
    if asked.last_seq and asked.last_seq < asked.first_seq:
        bad.append(Violation("selection.last_seq", f"{asked.last_seq} is below first_seq {asked.first_seq}"))
    return Selection(
        reason=reason_name(asked.reason) if asked.reason else "",
        outlet_id=asked.outlet_id,
        terminal_id=asked.terminal_id,
        from_ms=asked.from_ms,
        before_ms=asked.before_ms,
        epoch=asked.epoch,
        first_seq=asked.first_seq,
        last_seq=asked.last_seq,
    )


def _text(field: str, value: str, bad: list[Violation]) -> str:
    """A name or reason that people will read years later."""
    text = value.strip()
    if not text:
        bad.append(Violation(field, "is empty; it is kept with what was done, so say who and why"))
    elif len(text) > MAX_TEXT or not text.isprintable():
        bad.append(
            Violation(field, f"has {len(text)} characters or a line break; write at most {MAX_TEXT} in one line")
        )
    return text


def _token(token: str, kinds: list[type], bad: list[Violation]) -> paging.TokenKey | None:
    try:
        return paging.read(token, kinds)
    except paging.BadTokenError as error:
        bad.append(Violation("page_token", str(error)))
        return None
