"""`fucai terminal record`: records events as a till would."""

from __future__ import annotations

import enum
import json
import os
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, TextIO

import grpc
import typer
from google.protobuf.json_format import ParseDict, ParseError

from fucai.cli.agent import AgentAddress, agent_at
from fucai.cli.errors import CliError, exit_code_of
from fucai.cli.out.act import AsJson, say
from fucai.cli.output import as_dict
from fucai.runtime.errors import code_of, explain
from fucai.v1.sales_pb2 import EventKind, EventReference, SalesEvent
from fucai.v1.terminal_pb2 import RecordRequest, RecordResponse
from fucai.v1.terminal_pb2_grpc import TerminalServiceStub

_EVENTS_A_REQUEST = 500
_ANSWER_S = 30.0


class Kind(enum.StrEnum):
    """What happened at the till."""

    SALE = "sale"
    VOID = "void"
    PAYOUT = "payout"


def record(  # noqa: PLR0913 (each is an option of the command)
    kind: Annotated[Kind | None, typer.Argument(help="What happened; without it, events come from stdin.")] = None,
    *,
    directory: Annotated[Path | None, typer.Option("--dir", help="The agent's folder.", envvar="FUCAI_DIR")] = None,
    agent: AgentAddress = "",
    game: Annotated[str, typer.Option(help="Code of the game, such as ssq.")] = "",
    draw: Annotated[str, typer.Option(help="Draw number, YYYYNNN; none for instant games.")] = "",
    amount: Annotated[int, typer.Option(help="Amount in fen, above zero.")] = 0,
    bets: Annotated[int, typer.Option(min=0, help="Bets on the ticket, or instant tickets.")] = 1,
    multiplier: Annotated[int, typer.Option(min=0, help="Multiplier.")] = 0,
    face_value: Annotated[int, typer.Option(min=0, help="Face value of an instant ticket in fen.")] = 0,
    serial: Annotated[str, typer.Option(help="Serial number printed on the ticket.")] = "",
    companion: Annotated[int, typer.Option(min=0, help="Spend on the other trade in the same visit, in fen.")] = 0,
    refers_to: Annotated[
        str, typer.Option(help="The sale that a void or payout is about: SEQ, or TERMINAL/EPOCH/SEQ.")
    ] = "",
    request_id: Annotated[str, typer.Option(help="Repeat it to repeat a request whose answer was lost.")] = "",
    as_json: AsJson = False,
) -> None:
    """Record a sale, void or payout, or many from stdin; answers when they are on the disk.

    Try:

        fucai terminal record sale --dir DIR --game ssq --draw 2026058 --amount 200

        fucai terminal record void --dir DIR --game ssq --draw 2026058 --amount 200 --refers-to 17

        fucai terminal record --dir DIR < events.jsonl

    A line of stdin is a SalesEvent as JSON: {"kind": "EVENT_KIND_SALE", "game": "ssq", "amount_fen": 200, ...}. Lines
    are recorded 500 at a time, each lot whole or not at all; with --request-id ID they are ID/1, ID/2 ..., so that the
    same command again records nothing twice.

    The object of --json: recorded, a list of what each request was recorded as: epoch, first_seq, last_seq, and
    repeated_request, whether it was before. Where a later one fails it has those before it.

    Exit codes: 0; 64 an event is malformed; 65 a line is no event; 69 no agent answers; 75 its disk is full.
    """
    reference = _reference(refers_to) if refers_to else None
    with agent_at(directory, agent) as stub:
        if kind is None:
            _tell_recorded(_record_lines(stub, sys.stdin, request_id), as_json=as_json)
            return
        event = SalesEvent(
            kind=EventKind.Value(f"EVENT_KIND_{kind.name}"),
            game=game,
            draw_no=draw,
            amount_fen=amount,
            bets=bets,
            multiplier=multiplier,
            face_value_fen=face_value,
            ticket_serial=serial,
            companion_fen=companion,
            refers_to=reference,
        )
        _tell_recorded(iter([_send(stub, [event], request_id or uuid.uuid4().hex)]), as_json=as_json)


def _reference(text: str) -> EventReference:
    parts = text.split("/")
    if len(parts) not in {1, 3} or not all(part.isdigit() for part in parts[-2:]):
        raise typer.BadParameter("write SEQ, or TERMINAL/EPOCH/SEQ", param_hint="--refers-to")
    if len(parts) == 1:
        return EventReference(seq=int(text))
    return EventReference(terminal_id=parts[0], epoch=int(parts[1]), seq=int(parts[2]))


def _record_lines(stub: TerminalServiceStub, lines: TextIO, request_id: str) -> Iterator[RecordResponse]:
    """Records lot by lot; each answer is given before the next lot is read."""
    request_id = request_id or uuid.uuid4().hex
    events: list[SalesEvent] = []
    sent = 0
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        events.append(_event_of(line, number))
        if len(events) == _EVENTS_A_REQUEST:
            sent += 1
            yield _send(stub, events, f"{request_id}/{sent}")
            events = []
    if events:
        yield _send(stub, events, f"{request_id}/{sent + 1}")


def _event_of(line: str, number: int) -> SalesEvent:
    try:
        return ParseDict(json.loads(line), SalesEvent())
    except (ValueError, ParseError) as error:
        raise CliError(
            f"line {number} is no event: {error}",
            hint="what was printed as recorded is; mend the line, and give the rest again",
            exit_code=os.EX_DATAERR,
        ) from error


def _send(stub: TerminalServiceStub, events: list[SalesEvent], request_id: str) -> RecordResponse:
    request = RecordRequest(events=events, request_id=request_id)
    try:
        return stub.Record(request, timeout=_ANSWER_S)
    except grpc.RpcError as error:
        if code_of(error) == grpc.StatusCode.INVALID_ARGUMENT:
            raise
        hint = f"with --request-id {request_id.partition('/')[0]} the same command records nothing twice"
        raise CliError(explain(error), hint=hint, exit_code=exit_code_of(error)) from error


def _tell_recorded(answers: Iterator[RecordResponse], *, as_json: bool) -> None:
    """Tells each answer as it comes; as JSON all of them at the end, those before a failure too."""
    told: list[RecordResponse] = []
    try:
        for recorded in answers:
            told.append(recorded)
            if not as_json:
                typer.echo(_sentence(recorded))
    finally:
        if as_json:
            say({"recorded": [as_dict(recorded) for recorded in told]}, map(_sentence, told), json=True)


def _sentence(recorded: RecordResponse) -> str:
    numbers = str(recorded.first_seq)
    if recorded.last_seq > recorded.first_seq:
        numbers += f" to {recorded.last_seq}"
    again = ", recorded before" if recorded.repeated_request else ""
    return f"recorded {numbers} of epoch {recorded.epoch}{again}"
