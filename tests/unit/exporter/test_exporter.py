"""What Prometheus sees of the headline: names, units, marks, and the age of a figure after a failure."""

from __future__ import annotations

import asyncio

import grpc
import grpc.aio
import pytest
from google.protobuf.message import Message
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from fucai.exporter.question import HEADLINE, Question
from fucai.exporter.schedule import QueryMetrics, Schedule
from fucai.runtime.progress import Progress
from fucai.runtime.telemetry import configure_logging
from tests.unit.exporter import answers
from tests.unit.exporter.answers import headline
from tests.unit.exporter.rig import Rig


def test_before_the_first_answer_there_is_no_figure() -> None:
    """No answer, no sample: not even a zero."""
    assert Rig().scrape() == []


def test_figures_have_base_units_and_labels() -> None:
    """Money in yuan, growth as a ratio, the period as a label, zone types under their own name."""
    rig = Rig()
    rig.publish(HEADLINE, headline())
    assert rig.value("fucai_channel_active_outlets") == 54
    assert rig.value("fucai_channel_sales_yuan", period="28d") == 107_000.50
    assert rig.value("fucai_channel_sales_growth_ratio", period="28d") == 0.07
    assert rig.value("fucai_channel_active_outlets_growth_ratio") == 0.08
    assert rig.value("fucai_zone_type_active_outlets", zone_type="night_market") == 3
    assert rig.value("fucai_zone_type_sales_yuan", zone_type="none", period="28d") == 0
    assert rig.value("fucai_channel_period_end_timestamp_seconds") == 1_741_622_400
    assert rig.value("fucai_channel_data_latest_received_timestamp_seconds") == 1_741_600_000.5


def test_kept_figures_end_when_a_draw_is_sealed_that_they_may_contain() -> None:
    """From the next seal on there is no figure until analytics answers again; their age goes on."""
    rig = Rig()
    answer = headline()
    answer.freshness.next_seal_ms = int(rig.now * 1000) + 60_000
    rig.publish(HEADLINE, answer)
    rig.now += 59
    assert rig.value("fucai_channel_active_outlets") == 54
    rig.now += 1
    assert rig.figures() == []
    assert rig.value("fucai_exporter_figures_age_seconds", question=HEADLINE) == 60


def test_growth_without_a_ratio_is_absent_and_marked() -> None:
    """A new zone type has no growth sample, but one mark of the seven is 1."""
    rig = Rig()
    rig.publish(HEADLINE, headline())
    assert rig.value("fucai_zone_type_sales_growth_ratio", zone_type="night_market", period="28d") is None
    marks = {
        sample.labels["mark"]: sample.value
        for sample in rig.scrape()
        if sample.name == "fucai_zone_type_growth_mark"
        and sample.labels["zone_type"] == "night_market"
        and sample.labels["figure"] == "sales"
    }
    others = ("ratio", "both_zero", "negative_base", "no_base", "partial_base", "small_base")
    assert marks == {"new": 1, **dict.fromkeys(others, 0)}
    assert rig.value("fucai_zone_type_sales_growth_ratio", zone_type="none", period="28d") == 0.5


def test_excess_stands_only_beside_a_published_benchmark() -> None:
    """The newest value of another period is shown with published 0, and nothing is subtracted."""
    rig = Rig()
    labels = {"series": "national_welfare", "benchmark_period": "2025-02"}
    rig.publish(HEADLINE, headline())
    assert rig.value("fucai_channel_benchmark_published", series="national_welfare") == 0
    assert rig.value("fucai_channel_benchmark_growth_ratio", **labels) == -0.03
    assert rig.value("fucai_channel_sales_excess_ratio", **labels) is None
    rig.publish(HEADLINE, headline(published=True))
    assert rig.value("fucai_channel_benchmark_published", series="national_welfare") == 1
    assert rig.value("fucai_channel_sales_excess_ratio", **labels) == pytest.approx(0.1)


def test_every_metric_explains_itself() -> None:
    """Each family has a HELP text, and names keep to Prometheus' rules: fucai_ and no unit in the middle."""
    rig = Rig()
    rig.publish(HEADLINE, headline())
    for family in text_string_to_metric_families(generate_latest(rig.registry).decode()):
        assert family.documentation
        assert family.name.startswith("fucai_")
        assert family.type == "gauge"


class Answering:
    """A schedule before an analytics service that answers as the test says; it is away for what is not told."""

    def __init__(self, rig: Rig, *, interval_s: float = 15) -> None:
        self.answers: dict[str, Message | grpc.StatusCode] = {}
        self.asked: list[str] = []
        self.progress = Progress()
        self.schedule = Schedule(
            self.ask,
            rig.questions,
            rig.collector,
            metrics=QueryMetrics(rig.registry),
            progress=self.progress,
            log=configure_logging(service="exporter", instance="test-0", level="error"),
            interval_s=interval_s,
            others_interval_s=60,
        )

    async def ask(self, question: Question, _request: Message) -> Message:
        """The answer that is set."""
        self.asked.append(question.name)
        answer = self.answers.get(question.name, grpc.StatusCode.UNAVAILABLE)
        if isinstance(answer, Message):
            return answer
        raise grpc.aio.AioRpcError(answer, grpc.aio.Metadata(), grpc.aio.Metadata(), "ClickHouse is away", "")

    def turn(self) -> list[str]:
        """One turn; what was asked in it."""
        self.asked.clear()
        asyncio.run(self.schedule.headline_turn())
        asyncio.run(self.schedule.others_turn())
        return list(self.asked)


def test_a_failed_query_keeps_the_figure_and_shows_its_age() -> None:
    """After a failure the last value stays, its age grows, the failure is counted, and readiness tells why."""
    rig = Rig()
    analytics = Answering(rig)
    analytics.turn()
    assert rig.value("fucai_channel_active_outlets") is None
    assert not analytics.progress.readiness().ready
    assert "no figures yet: UNAVAILABLE" in analytics.progress.readiness().reason
    analytics.answers[HEADLINE] = headline()
    analytics.turn()
    assert analytics.progress.readiness().ready
    assert rig.value("fucai_exporter_figures_age_seconds", question=HEADLINE) == 0
    del analytics.answers[HEADLINE]
    rig.now += 3600
    analytics.turn()
    assert rig.value("fucai_channel_active_outlets") == 54
    assert rig.value("fucai_exporter_figures_age_seconds", question=HEADLINE) == 3600
    assert rig.value("fucai_exporter_last_success_timestamp_seconds", question=HEADLINE) == rig.now - 3600
    assert rig.value("fucai_exporter_query_failures_total", question=HEADLINE, code="unavailable") == 2
    assert rig.value("fucai_exporter_query_duration_seconds_count", question=HEADLINE) == 3
    assert not analytics.progress.readiness().ready
    assert "3600 s old" in analytics.progress.readiness().reason


def test_each_question_fails_alone() -> None:
    """One that fails is counted under its name and told of; the figures of the others are there, and it is ready."""
    rig = Rig()
    analytics = Answering(rig)
    analytics.answers = {
        HEADLINE: headline(),
        "growth_game": answers.growth(answers.growth_row("ssq")),
        "scale_channel": grpc.StatusCode.DEADLINE_EXCEEDED,
    }
    analytics.turn()
    assert rig.value("fucai_game_sales_yuan", game="ssq", period="28d") == 9
    failed = {"question": "scale_channel", "code": "deadline_exceeded"}
    assert rig.value("fucai_exporter_query_failures_total", **failed) == 1
    assert rig.value("fucai_exporter_figures_age_seconds", question="scale_channel") is None
    assert analytics.progress.readiness().ready
    assert "scale_channel" in analytics.progress.readiness().reason


def test_others_are_asked_less_often_than_the_headline() -> None:
    """What is answered is asked again after its own interval, what is not in the next turn."""
    rig = Rig()
    analytics = Answering(rig)
    analytics.answers = {HEADLINE: headline(), "growth_game": answers.growth()}
    analytics.turn()
    rig.now += 15
    assert {HEADLINE, "silent"} <= set(again := analytics.turn())
    assert "growth_game" not in again
    rig.now += 45
    assert "growth_game" in analytics.turn()


def test_others_wait_for_the_headline_as_far_as_they_need_it() -> None:
    """Nothing else is asked while all is away; where only the headline is refused, what needs no days is asked."""
    rig = Rig()
    analytics = Answering(rig)
    assert analytics.turn() == [HEADLINE]
    analytics.answers[HEADLINE] = grpc.StatusCode.INVALID_ARGUMENT
    asked = analytics.turn()
    assert "growth_game" not in asked
    assert "scale_channel" in asked
    analytics.answers[HEADLINE] = headline()
    assert "growth_game" in analytics.turn()
    request = next(one for one in rig.questions if one.name == "growth_game").request(rig.collector.days)
    assert (getattr(request, "from_day", ""), getattr(request, "to_day", "")) == ("2025-02-11", "2025-03-10")


def test_a_refusal_where_nothing_can_be_told_is_no_failure() -> None:
    """Without a stored base there is no decomposition: none is shown, none of an earlier answer, and nothing failed."""
    rig = Rig()
    analytics = Answering(rig)
    analytics.answers = {HEADLINE: headline(), "decompose": answers.decomposition()}
    analytics.turn()
    assert rig.value("fucai_channel_base_sales_yuan", period="28d") == 10
    analytics.answers["decompose"] = grpc.StatusCode.INVALID_ARGUMENT
    rig.now += 60
    analytics.turn()
    assert rig.value("fucai_channel_base_sales_yuan", period="28d") is None
    assert rig.value("fucai_exporter_query_failures_total", question="decompose", code="invalid_argument") is None


def test_the_headline_never_waits_for_another_question() -> None:
    """While analytics thinks about one of the others, the headline is asked again and again."""
    rig = Rig()

    class Thinking(Answering):
        """Answers nothing but the headline, for ever."""

        async def ask(self, question: Question, request: Message) -> Message:
            if question.name == HEADLINE:
                if self.asked.count(HEADLINE) >= 3 and "scale_channel" in self.asked:
                    enough.set()
                return await super().ask(question, request)
            self.asked.append(question.name)
            await asyncio.Event().wait()
            raise AssertionError("nobody answers")

    async def scenario() -> list[str]:
        running = asyncio.create_task(analytics.schedule.run())
        async with asyncio.timeout(10):
            await enough.wait()
        running.cancel()
        await asyncio.wait([running])
        return analytics.asked

    enough = asyncio.Event()
    analytics = Thinking(rig, interval_s=0.01)
    analytics.answers[HEADLINE] = headline()
    asked = asyncio.run(scenario())
    assert [name for name in asked if name != HEADLINE] == ["scale_channel"]
