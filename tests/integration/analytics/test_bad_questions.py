"""Every question with every kind of bad input, over gRPC and in the shell: a clear error with the valid choices.

Sealed draws: test_embargo_attacks.py; an absent store, deadlines and single fields: test_refusals.py.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import grpc
import pytest

from fucai.runtime.errors import code_of, explain, violations_of
from fucai.v1 import analytics_pb2 as pb
from fucai.v1.analytics_pb2_grpc import AnalyticsServiceStub
from tests.unit.cli.fake import run

DAYS: dict[str, Any] = {"from_day": "2024-03-01", "to_day": "2024-03-31"}
SQL = "x'); DROP TABLE sales; --"
PERIODS = ("Trend", "StreamTrend", "Headline", "Growth", "Decompose", "Rank", "Scale", "Profile", "Outlet")
PAGED = ("Trend", "Growth", "Decompose", "Rank", "Silent", "Alerts")
NEVER = ("Traceback", "DB::", "internal error", "Exception", "File ")


def request_of(method: str, **fields: Any) -> Any:
    """A good request of a method, but for these fields."""
    usual: dict[str, Any] = DAYS if method in PERIODS else {}
    usual = usual | {"Outlet": {"outlet_id": "001"}, "Rank": {"of": "outlet"}, "Benchmark": {"series": "own"}}.get(
        method, {}
    )
    if method == "StreamTrend":
        return pb.StreamTrendRequest(question=pb.TrendRequest(**{**usual, **fields}))
    return getattr(pb, f"{method}Request")(**{**usual, **fields})


def refusal(analytics: AnalyticsServiceStub, method: str, **fields: Any) -> grpc.RpcError:
    """How the question is refused."""
    ask = getattr(analytics, method)
    with pytest.raises(grpc.RpcError) as caught:
        next(ask(request_of(method, **fields))) if method == "StreamTrend" else ask(request_of(method, **fields))
    return caught.value


@dataclass(frozen=True, slots=True)
class Bad:
    """Bad fields of some methods, the field that is named, and what is told of it."""

    methods: Sequence[str]
    fields: dict[str, Any]
    field: str
    told: Sequence[str]

    def __iter__(self) -> Iterator[Any]:
        for method in self.methods:
            yield pytest.param(method, self.fields, self.field, self.told, id=f"{method}-{self.field}-{self.told[0]}")


def filtered(dimension: str, *values: str) -> dict[str, Any]:
    """A condition."""
    return {"selection": pb.Selection(filters=[pb.Filter(dimension=dimension, values=values)])}


GROUPED = ("Trend", "StreamTrend", "Growth", "Decompose", "Scale")
CHOSEN = (*PERIODS, "Benchmark", "Silent", "Alerts")
CASES = [
    Bad(GROUPED, {"by": ["shop"]}, "by[0]", ["'shop'", "choose", "zone_type"]),
    Bad(("Headline", "Profile"), {"by": "shop"}, "by", ["'shop'", "choose", "zone_type"]),
    Bad(("Rank",), {"of": "shop"}, "of", ["'shop'", "choose", "outlet"]),
    Bad(("Rank",), {"within": "shop"}, "within", ["'shop'", "choose", "mgmt_area"]),
    Bad(PERIODS, {"from_day": "2024-04-01"}, "to_day", ["2024-03-31 is before from_day 2024-04-01", "swap"]),
    Bad(PERIODS, {"from_day": "2024-02-30"}, "from_day", ["'2024-02-30'", "YYYY-MM-DD"]),
    Bad(PERIODS[2:], {"to_day": "2031-01-01"}, "to_day", ["2031-01-01 is in the future", "choose up to 2025-12-31"]),
    Bad(PERIODS[2:], {"from_day": "2001-01-01"}, "from_day", ["2001-01-01 is before 2021-11-17", "choose 2021-11-17"]),
    Bad(("Headline", "Growth"), {"benchmark": SQL}, "benchmark", [SQL, "choose national_welfare, own"]),
    Bad(("Benchmark",), {"series": SQL}, "series", [SQL, "choose national_welfare, own"]),
    Bad(("Benchmark",), {"from_day": "2024-04-01", "to_day": "2024-03-31"}, "to_day", ["before", "swap"]),
    Bad(CHOSEN, filtered("shop", "1"), "selection.filters[0].dimension", ["'shop'", "choose", "zone_type"]),
    Bad(("Rank", "Growth"), {"compare": pb.COMPARISON_BASE_PERIOD}, "base_from_day", ["is empty", "YYYY-MM-DD"]),
    Bad(
        CHOSEN, {"selection": pb.Selection(as_of_ms=2**62)}, "selection.as_of_ms", [f"{2**62} is not a moment", "give"]
    ),
    Bad(
        ("Silent",), {"at_ms": 4_000_000_000_000}, "at_ms", ["2096-10-02T07:06:40Z", "up to now, 2025-03-11T01:30:00Z"]
    ),
    Bad(("Alerts",), {"day": "2031-01-01"}, "day", ["2031-01-01", "choose"]),
    Bad(("Alerts",), {"day": "2001-01-01"}, "day", ["2001-01-01", "choose"]),
    Bad(("Alerts",), {"rules": ["flood"]}, "rules[0]", ["'flood'", "choose"]),
    Bad(PAGED, {"page_size": 60_000}, "page_size", ["60,000", "choose"]),
    Bad(PAGED, {"page_token": SQL}, "page_token", [SQL, "next_page_token"]),
]


@pytest.mark.parametrize(("method", "fields", "field", "told"), [case for bad in CASES for case in bad])
def test_the_very_field_is_named(
    analytics: AnalyticsServiceStub, method: str, fields: dict[str, Any], field: str, told: Sequence[str]
) -> None:
    """INVALID_ARGUMENT: the field, the value and what is possible instead; nothing of the machinery."""
    refused = refusal(analytics, method, **fields)
    assert code_of(refused) is grpc.StatusCode.INVALID_ARGUMENT, explain(refused)
    texts = [one.description for one in violations_of(refused) if one.field.removeprefix("question.") == field]
    assert len(texts) == 1, explain(refused)
    assert [word for word in told if word not in texts[0]] == [], texts[0]
    assert [word for word in NEVER if word in explain(refused)] == []


@pytest.mark.parametrize("method", CHOSEN)
@pytest.mark.parametrize("dimension", ["game", "outlet", "draw", "hour"])
def test_values_that_nobody_knows_are_refused_whatever_they_hold(
    analytics: AnalyticsServiceStub, method: str, dimension: str
) -> None:
    """A value with quotes and SQL in it is a wrong value; the valid ones are named where they are few."""
    refused = refusal(analytics, method, **filtered(dimension, SQL))
    assert code_of(refused) is grpc.StatusCode.INVALID_ARGUMENT, explain(refused)
    assert SQL in explain(refused)
    assert "choose" in explain(refused) or "write" in explain(refused)
    assert [word for word in NEVER if word in explain(refused)] == []


@pytest.mark.parametrize("method", PAGED)
def test_a_token_of_another_question_is_refused(analytics: AnalyticsServiceStub, method: str) -> None:
    """It says so, and what to do."""
    token = analytics.Trend(request_of("Trend", page_size=1, by=["kind"])).next_page_token
    refused = refusal(analytics, method, page_size=1, page_token=token)
    assert code_of(refused) is grpc.StatusCode.INVALID_ARGUMENT
    assert "page_token: belongs to another question: repeat the question it came with" in explain(refused)


def test_a_period_that_a_benchmark_lacks_is_no_refusal(analytics: AnalyticsServiceStub) -> None:
    """The answer says that there is nothing to compare with, and which values are missing."""
    for answer in (
        analytics.Headline(request_of("Headline", benchmark="own")),
        analytics.Growth(request_of("Growth", benchmark="own")),
    ):
        assert not answer.benchmark.HasField("excess_points")
        assert "2024-03" in answer.benchmark.note_en


def test_a_cancelled_question_is_cancelled(analytics: AnalyticsServiceStub) -> None:
    """Whoever goes away gets CANCELLED, and so does a stream that is left."""
    for method in CHOSEN:
        ask: Any = getattr(analytics, method)
        call = ask(request_of(method)) if method == "StreamTrend" else ask.future(request_of(method))
        call.cancel()
        with pytest.raises((grpc.RpcError, grpc.FutureCancelledError)) as caught:
            list(call) if method == "StreamTrend" else call.result()
        if isinstance(caught.value, grpc.RpcError):
            assert code_of(caught.value) is grpc.StatusCode.CANCELLED


BY = {"rank": "--of"}
COMMANDS = ("trend", "headline", "growth", "decompose", "rank", "scale", "profile", "outlet 001")
SHELL = [
    *((command, f"{BY.get(command, '--by')} shop", "'shop'", "choose") for command in COMMANDS[:-1]),
    *((command, "--from 2024-04-01 --to 2024-03-31", "2024-04-01", "swap") for command in COMMANDS),
    *((command, "--from 2024-02-30 --to 2024-03-31", "2024-02-30", "YYYY-MM-DD") for command in COMMANDS),
    *((command, "--from 2024-03-01 --to 2031-01-01", "2031-01-01", "choose") for command in COMMANDS[1:]),
    *((command, "--from 2001-01-01 --to 2024-03-31", "2001-01-01", "choose") for command in COMMANDS[1:]),
    *((command, "--filter game=x');DROP", "x');DROP", "choose") for command in (*COMMANDS, "silent", "alerts")),
    *((command, "--filter shop=1", "'shop'", "choose") for command in (*COMMANDS, "silent", "alerts")),
    *((command, "--benchmark x'y", "x'y", "choose national_welfare, own") for command in ("headline", "growth")),
    ("benchmark x'y", "", "x'y", "choose national_welfare, own"),
    ("outlet x');DROP", "", "x');DROP", "did you mean 000"),
    ("alerts", "--day 2031-01-01", "2031-01-01", "choose"),
    ("silent", "--at 2031-01-01T08:00", "2031-01-01T00:00:00Z", "up to now"),
]


@pytest.mark.parametrize(("command", "words", "value", "remedy"), SHELL)
def test_the_shell_tells_what_is_wrong_and_what_to_do(
    analytics_address: str, command: str, words: str, value: str, remedy: str
) -> None:
    """Nothing on stdout, an exit code of its own, the value and the choices on stderr, no stack trace."""
    days = "--from 2024-03-01 --to 2024-03-31" if command == "trend" and "--from" not in words else ""
    ran = run("query", *f"{command} {days} {words}".split(), FUCAI_ANALYTICS=analytics_address)
    told = " ".join(ran.err.split())
    assert ran.exit_code in (os.EX_USAGE, os.EX_DATAERR, os.EX_NOINPUT), told
    assert ran.out == ""
    assert value in told
    assert remedy in told
    assert [word for word in NEVER if word in told] == []
