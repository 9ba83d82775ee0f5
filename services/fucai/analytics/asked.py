"""One question while it is answered: how to ask the store, at which moment, and what stands beside the answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from fucai.analytics.reach import Reach
from fucai.analytics.store import Ask, Ran
from fucai.analytics.turned import Turning
from fucai.v1 import analytics_pb2


@dataclass(frozen=True, slots=True)
class Asked:
    """A question under way.

    Attributes:
        ask: runs a query within the question's deadline.
        today: the day of the question in the business time zone.
        now_ms: its moment, Unix ms UTC.
        currency: ISO 4217.
        zone: the business time zone.
        turning: tells whether a draw was sealed or ended since; whoever gives an answer in parts asks before each.
        ran: the queries so far; stays empty unless an explanation was asked for.
    """

    ask: Ask
    today: date
    now_ms: int
    currency: str
    zone: ZoneInfo
    turning: Turning
    ran: Sequence[Ran] = ()

    def about(
        self,
        now: Reach,
        definitions: Iterable[analytics_pb2.Definition],
        unrated: Iterable[analytics_pb2.UnratedGame] = (),
    ) -> analytics_pb2.About:
        """What stands beside the answer; build it last, when all queries were run."""
        return analytics_pb2.About(
            freshness=now.freshness(self.now_ms),
            definitions=definitions,
            currency=self.currency,
            queries=self.queries(),
            unrated=unrated,
        )

    def queries(self) -> list[analytics_pb2.ExplainedQuery]:
        """The queries so far, as they go over the wire."""
        return [
            analytics_pb2.ExplainedQuery(
                sql=one.sql,
                parameters=[f"{name}={value}" for name, value in one.parameters.items()],
                rows_read=one.rows_read,
                bytes_read=one.bytes_read,
                seconds=one.seconds,
                projections=one.projections,
            )
            for one in self.ran
        ]
