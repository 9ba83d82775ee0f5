"""What is stored, without any comparison: how fresh it is, and the newest events of all."""

from __future__ import annotations

from fucai.analytics import questions
from fucai.analytics.asked import Asked
from fucai.analytics.reach import reach
from fucai.analytics.texts import plain
from fucai.v1 import analytics_pb2


async def freshness(asked: Asked, _request: analytics_pb2.FreshnessRequest) -> analytics_pb2.FreshnessResponse:
    """How far the store reaches, the draws withheld, and how many events are visible and in quarantine."""
    now = await reach(asked.ask)
    ((quarantined,),) = await asked.ask(plain("quarantined"), {})
    return analytics_pb2.FreshnessResponse(
        freshness=now.freshness(asked.now_ms), events=now.events, quarantined=int(quarantined)
    )


async def recent(asked: Asked, request: analytics_pb2.RecentRequest) -> analytics_pb2.RecentResponse:
    """The newest events, newest first.

    Raises:
        BadQuestionError: more are asked for than an answer may hold.
    """
    limit = questions.read_recent(request)
    now = await reach(asked.ask)
    if now.last_day is None:
        return analytics_pb2.RecentResponse()
    rows = await asked.ask(plain("recent"), {"last_day": now.last_day, "rows": limit})
    return analytics_pb2.RecentResponse(
        events=[
            analytics_pb2.RecentEvent(
                sold_at_ms=sold_at_ms,
                outlet_id=outlet_id,
                outlet_name=outlet_name,
                zone_name=zone_name,
                game=game,
                kind=kind,
                amount_fen=amount_fen,
                bets=bets,
            )
            for sold_at_ms, outlet_id, outlet_name, zone_name, game, kind, amount_fen, bets in rows
        ]
    )
