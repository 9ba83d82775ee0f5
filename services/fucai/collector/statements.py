"""Statements of terminals: what makes one unusable, what the registry says of its key, its record. Sends nothing."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from google.protobuf.message import DecodeError

from fucai.domain import topics
from fucai.domain.batches import BatchRefusedError, CheckedBatch, Record
from fucai.domain.catalogue import Catalogue
from fucai.domain.record import YEAR_2100_MS
from fucai.domain.salerules import quoted
from fucai.domain.validation import MAX_ID_BYTES, Refusal
from fucai.runtime.signing import KEY_BYTES, SIGNATURE_BYTES, is_signed_by
from fucai.v1 import collector_pb2, statement_pb2

MAX_STATEMENT_BYTES = 2 * 1024 * 1024

_Verdict = collector_pb2.StatementVerdict


def read_statement(raw: bytes) -> tuple[statement_pb2.SignedStatement, statement_pb2.Statement]:
    """The signed statement of a SubmitStatementRequest, without unknown fields, and its content.

    Raises:
        BatchRefusedError: it is malformed, oversized, lacks a field, or sets a reserved one.
    """
    if len(raw) > MAX_STATEMENT_BYTES:
        detail = f"the statement has {len(raw)} bytes; send at most {MAX_STATEMENT_BYTES}"
        raise BatchRefusedError([Refusal("", detail)])
    try:
        signed = collector_pb2.SubmitStatementRequest.FromString(raw).statement
        signed.DiscardUnknownFields()
        statement = statement_pb2.Statement.FromString(signed.content)
    except DecodeError as error:
        raise BatchRefusedError([Refusal("statement.content", f"is no Statement: {error}")]) from error
    found = [*_faults_of_signing(signed), *_faults_of_content(statement)]
    if found:
        raise BatchRefusedError(found)
    return signed, statement


def examine(
    signed: statement_pb2.SignedStatement, statement: statement_pb2.Statement, catalogue: Catalogue, zone: ZoneInfo
) -> collector_pb2.SubmitStatementResponse:
    """What the registry's keys say of it, by the terminal's binding on the day of the statement."""
    day = datetime.fromtimestamp(statement.stated_at_ms / 1000, zone).date().toordinal()
    binding = catalogue.binding_on(statement.terminal_id, day)
    if binding is None:
        detail = f"terminal {quoted(statement.terminal_id)} is not registered for that day; register it"
        return _answer(_Verdict.STATEMENT_VERDICT_UNKNOWN_TERMINAL, detail)
    if not is_signed_by(signed):
        return _answer(_Verdict.STATEMENT_VERDICT_BAD_SIGNATURE, "the signature does not fit content and public_key")
    if signed.public_key not in binding.public_keys:
        detail = f"the registry has no key {signed.public_key.hex()} for {quoted(statement.terminal_id)}; register it"
        return _answer(_Verdict.STATEMENT_VERDICT_UNKNOWN_KEY, detail)
    return _answer(_Verdict.STATEMENT_VERDICT_VERIFIED, "")


def is_cured_by_newer_keys(answer: collector_pb2.SubmitStatementResponse) -> bool:
    """Whether the catalogue lacks something that may have been registered since."""
    return answer.verdict in {
        _Verdict.STATEMENT_VERDICT_UNKNOWN_TERMINAL,
        _Verdict.STATEMENT_VERDICT_UNKNOWN_KEY,
    }


def make_statement_record(
    signed: statement_pb2.SignedStatement,
    statement: statement_pb2.Statement,
    answer: collector_pb2.SubmitStatementResponse,
    *,
    received_at_ms: int,
    collector_id: str,
) -> CheckedBatch:
    """The Kafka record, with the collector's own fields, and the answer to give once Kafka has it."""
    stored = statement_pb2.SignedStatement()
    stored.CopyFrom(signed)
    stored.received_at_ms, stored.collector_id = received_at_ms, collector_id
    record = Record(topics.DAYCLOSE, stored.SerializeToString(deterministic=True), [])
    return CheckedBatch(statement.terminal_id.encode(), (record,), answer.SerializeToString(), 0)


def _answer(verdict: _Verdict.ValueType, detail: str) -> collector_pb2.SubmitStatementResponse:
    return collector_pb2.SubmitStatementResponse(verdict=verdict, detail=detail)


def _faults_of_signing(signed: statement_pb2.SignedStatement) -> list[Refusal]:
    found = [
        Refusal(f"statement.{field}", f"has {len(value)} bytes, an Ed25519 {what} has {size}")
        for field, value, what, size in (
            ("signature", signed.signature, "signature", SIGNATURE_BYTES),
            ("public_key", signed.public_key, "public key", KEY_BYTES),
        )
        if len(value) != size
    ]
    found += [
        Refusal(f"statement.{field}", "is reserved for the collector; leave it unset")
        for field in ("received_at_ms", "collector_id")
        if getattr(signed, field)
    ]
    return found


def _faults_of_content(statement: statement_pb2.Statement) -> list[Refusal]:
    found = []
    for field in ("terminal_id", "outlet_id"):
        size = len(getattr(statement, field).encode())
        if not 0 < size <= MAX_ID_BYTES:
            found.append(Refusal(f"content.{field}", f"has {size} bytes; 1 to {MAX_ID_BYTES} are taken"))
    found += [
        Refusal(f"content.{field}", "is 0; it counts from 1")
        for field in ("epoch", "number")
        if not getattr(statement, field)
    ]
    if not 0 < statement.stated_at_ms < YEAR_2100_MS:
        found.append(Refusal("content.stated_at_ms", f"{statement.stated_at_ms} is no time that a clock shows"))
    if statement.WhichOneof("statement") is None:
        found.append(Refusal("content.statement", "says nothing; set opened, close or damage"))
    return found
