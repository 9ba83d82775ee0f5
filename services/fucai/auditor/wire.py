"""The auditor's own reader and writer of protobuf's wire format, for batches and events. Knows no generated code.

Field numbers are those of protos/fucai/v1/sales.proto. An event's exact bytes are what its digest chain is over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_MORE = 0x80
_SIGN_64, _ALL_64, _ALL_32 = 1 << 63, (1 << 64) - 1, (1 << 32) - 1
_VARINT, _FIXED_64, _LENGTH, _FIXED_32 = 0, 1, 2, 5

FIELDS = (
    "",
    "seq",
    "kind",
    "game",
    "draw_no",
    "amount_fen",
    "bets",
    "multiplier",
    "face_value_fen",
    "ticket_serial",
    "sold_at_ms",
    "refers_to",
    "companion_fen",
    "daily_summary",
)
"""Names of an event's fields by their numbers."""
SEQ, KIND, GAME, DRAW, AMOUNT, BETS, MULTIPLIER, FACE, SERIAL, SOLD_AT, REFERS, COMPANION, SUMMARY = range(1, 14)

_TEXTS = frozenset((GAME, DRAW, SERIAL, REFERS))
_SIGNED = frozenset((AMOUNT, FACE, SOLD_AT, COMPANION))
_NARROW = frozenset((BETS, MULTIPLIER))
_EMPTY: list[Any] = [b"" if number in _TEXTS else 0 for number in range(len(FIELDS))]

Event = list[Any]
"""Values of an event by field number: integers, and bytes for texts and for the message in `refers_to`."""


class WireError(ValueError):
    """The bytes are no message of this kind; the message says at which byte."""


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    """Return the number at a place and the place after it.

    Raises:
        WireError: the number is longer than ten bytes.
        IndexError: the bytes end within it.
    """
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < _MORE:
            return value & _ALL_64, at
        shift += 7
        if shift > 63:  # noqa: PLR2004 (ten bytes of seven bits)
            raise WireError(f"a number at byte {at} does not end")


def read_event(data: bytes) -> Event:  # noqa: C901, PLR0912 (one loop, the innermost of all)
    """Return an event's fields; of a field written twice the last one counts, unknown ones are passed over.

    Raises:
        WireError: the bytes are no event.
    """
    found = _EMPTY.copy()
    at, end = 0, len(data)
    is_wide = False
    try:
        while at < end:
            tag = data[at]
            at += 1
            if tag >= _MORE:
                tag, at = read_varint(data, at - 1)
            number, form = tag >> 3, tag & 7
            if form == _VARINT:
                value = data[at]
                at += 1
                if value >= _MORE:  # as read_varint does, without the call
                    value &= 0x7F
                    shift = 7
                    while (byte := data[at]) >= _MORE:
                        value |= (byte & 0x7F) << shift
                        at += 1
                        shift += 7
                        if shift > 63:  # noqa: PLR2004 (ten bytes of seven bits)
                            raise WireError(f"a number at byte {at} does not end")
                    value |= byte << shift
                    at += 1
                    if shift >= 28 and (number != SOLD_AT or shift >= 56):  # noqa: PLR2004 (bits of 5 and of 9 bytes)
                        is_wide = True
                if number < 14 and number not in _TEXTS:  # noqa: PLR2004 (the highest field is 13)
                    found[number] = value
            elif form == _LENGTH:
                size = data[at]
                at += 1
                if size >= _MORE:
                    size, at = read_varint(data, at - 1)
                stop = at + size
                if number in _TEXTS:
                    found[number] = data[at:stop]
                at = stop
            else:
                at = _skip(at, form)
            if not number:
                raise WireError(f"field number 0 before byte {at}")
    except IndexError as error:
        raise WireError("the event ends in the middle of a field") from error
    if at != end:
        raise WireError("the event ends in the middle of a field")
    if is_wide or found[SUMMARY] > 1:
        _wrap(found)
    return found


def _wrap(found: Event) -> None:
    """Give numbers outside the range of their field the value that protobuf gives them."""
    for number in range(1, len(found)):
        if number not in _TEXTS:
            found[number] &= _ALL_64
    for number in (AMOUNT, FACE, SOLD_AT, COMPANION):
        if found[number] >= _SIGN_64:
            found[number] -= 1 << 64
    if found[BETS] > _ALL_32 or found[MULTIPLIER] > _ALL_32:
        found[BETS] &= _ALL_32
        found[MULTIPLIER] &= _ALL_32
    if found[KIND] >= 1 << 31:
        found[KIND] = signed_32(found[KIND])
    found[SUMMARY] = min(found[SUMMARY], 1)


def signed_32(value: int) -> int:
    """A varint as an int32 or enum takes it."""
    low = value & _ALL_32
    return low - (1 << 32) if low >> 31 else low


def _skip(at: int, form: int) -> int:
    if form == _FIXED_64:
        return at + 8
    if form == _FIXED_32:
        return at + 4
    raise WireError(f"byte {at} follows a tag of form {form}, which no message of ours has")


def fields_of(data: bytes) -> list[tuple[int, int | bytes]]:
    """Return number and value of every field of any message, in the order written; fixed-width ones are left out.

    Raises:
        WireError: the bytes are no message.
    """
    found: list[tuple[int, int | bytes]] = []
    at, end = 0, len(data)
    try:
        while at < end:
            tag, at = read_varint(data, at)
            number, form = tag >> 3, tag & 7
            if not number:
                raise WireError(f"field number 0 before byte {at}")
            if form == _VARINT:
                value, at = read_varint(data, at)
                found.append((number, value))
            elif form == _LENGTH:
                size, at = read_varint(data, at)
                found.append((number, data[at : at + size]))
                at += size
            else:
                at = _skip(at, form)
    except IndexError as error:
        raise WireError("the message ends in the middle of a field") from error
    if at != end:
        raise WireError("the message ends in the middle of a field")
    return found


@dataclass(slots=True)
class Batch:
    """A batch as it stands in a record: names as bytes, each event as its exact bytes, the findings' seqs."""

    terminal: bytes = b""
    outlet: bytes = b""
    epoch: int = 0
    events: Sequence[bytes] = ()
    digest: bytes = b""
    received_at_ms: int = 0
    collector: bytes = b""
    finding_seqs: Sequence[int] = ()
    loader_fields: bool = False


def read_batch(data: bytes) -> Batch:
    """Return what a record's value holds.

    Raises:
        WireError: the bytes are no batch.
    """
    events: list[bytes] = []
    seqs: list[int] = []
    found = Batch(events=events, finding_seqs=seqs)
    at, end = 0, len(data)
    try:
        while at < end:
            tag, at = read_varint(data, at)
            form = tag & 7
            if form == _LENGTH:
                size = data[at]
                at += 1
                if size >= _MORE:
                    size, at = read_varint(data, at - 1)
                if tag == 0x22:  # noqa: PLR2004 (field 4: an event)
                    events.append(data[at : at + size])
                else:
                    _take_bytes(found, tag >> 3, data[at : at + size], seqs)
                at += size
            elif form == _VARINT:
                value, at = read_varint(data, at)
                _take_number(found, tag >> 3, value)
            else:
                at = _skip(at, form)
    except IndexError as error:
        raise WireError("the batch ends in the middle of a field") from error
    if at != end:
        raise WireError("the batch ends in the middle of a field")
    return found


def _take_bytes(batch: Batch, number: int, value: bytes, finding_seqs: list[int]) -> None:
    if number == 1:
        batch.terminal = value
    elif number == 2:  # noqa: PLR2004 (field numbers of SalesBatch)
        batch.outlet = value
    elif number == 5:  # noqa: PLR2004
        batch.digest = value
    elif number == 21:  # noqa: PLR2004
        batch.collector = value
    elif number == 22:  # noqa: PLR2004
        numbers = [seq for field, seq in fields_of(value) if field == 1 and isinstance(seq, int)]
        finding_seqs.append(numbers[-1] if numbers else 0)
    elif 30 <= number < 40:  # noqa: PLR2004
        batch.loader_fields = True


def _take_number(batch: Batch, number: int, value: int) -> None:
    if number == 3:  # noqa: PLR2004 (field numbers of SalesBatch)
        batch.epoch = value & _ALL_32
    elif number == 20:  # noqa: PLR2004
        batch.received_at_ms = value - (1 << 64) if value >= _SIGN_64 else value
    elif 30 <= number < 40:  # noqa: PLR2004
        batch.loader_fields = True


def write_varint(value: int) -> bytes:
    """Return a number as protobuf writes it; negative ones as 64 bits."""
    value &= _ALL_64
    if value < _MORE:
        return value.to_bytes()
    out = bytearray()
    while value >= _MORE:
        out.append(value & 0x7F | _MORE)
        value >>= 7
    out.append(value)
    return bytes(out)


def write_event(event: Sequence[Any]) -> bytes:
    """Return an event's canonical bytes, as they enter the chain: fields in rising order, defaults left out.

    `refers_to` is b"" where it is unset, else the message's bytes (`write_reference`).
    """
    parts: list[bytes] = []
    for number in range(1, len(FIELDS)):
        value = event[number]
        if not value:
            continue
        if number in _TEXTS:
            parts += (_TAGS[number], write_varint(len(value)), value)
        else:
            parts += (_TAGS[number], write_varint(value))
    return b"".join(parts)


_TAGS = [write_varint(number << 3 | (_LENGTH if number in _TEXTS else _VARINT)) for number in range(len(FIELDS))]


def write_reference(terminal: bytes, epoch: int, seq: int) -> bytes:
    """Return the bytes of an EventReference, without defaults; empty where all are defaults."""
    parts: list[bytes] = []
    if terminal:
        parts += (b"\x0a", write_varint(len(terminal)), terminal)
    if epoch:
        parts += (b"\x10", write_varint(epoch))
    if seq:
        parts += (b"\x18", write_varint(seq))
    return b"".join(parts)
