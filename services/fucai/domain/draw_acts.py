"""What may be done to a draw by hand, and when: sealing it before its scheduled close, and ending it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from fucai.domain.embargo import SEAL, DrawTimes, draw_times
from fucai.v1.registry_pb2 import Draw, DrawAct


class DrawRefusedError(Exception):
    """The act is not possible; `field` names the part of the request that is wrong, empty where the draw's state is."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


def judge(wanted: DrawAct, draw: Draw, acts: Iterable[DrawAct], now_ms: int, zone: ZoneInfo) -> DrawAct:
    """The act to be recorded, or the one that is recorded already where `wanted` is the same again.

    `wanted.at_ms` is 0 for now. `acts` are those of the draw; `zone` is the one that errors tell times in.

    Raises:
        DrawRefusedError: the draw's state or the time does not allow it.
    """
    known = {act.act: act for act in acts}
    recorded = known.get(wanted.act)
    if recorded is not None:
        if wanted.at_ms in (0, recorded.at_ms):
            return recorded
        raise DrawRefusedError(
            f"the {wanted.act} of {_name(draw)} is recorded for {_told(recorded.at_ms, zone)} by "
            f"{recorded.acted_by!r}, for ever; leave the time out to see it"
        )
    times = draw_times(draw, known.values())
    made = DrawAct()
    made.CopyFrom(wanted)
    made.at_ms, made.recorded_ms = wanted.at_ms or now_ms, now_ms
    if times.has_ended(now_ms):
        raise DrawRefusedError(f"{_name(draw)} has ended at {_told(times.drawn_ms, zone)}; nothing is left to do")
    (_check_seal if wanted.act == SEAL else _check_end)(made, draw, times, now_ms, zone)
    return made


def _check_seal(act: DrawAct, draw: Draw, _times: DrawTimes, now_ms: int, zone: ZoneInfo) -> None:
    if act.at_ms <= draw.sales_close_ms:
        return
    close = _told(draw.sales_close_ms, zone)
    if draw.sales_close_ms < now_ms and act.at_ms == now_ms:
        raise DrawRefusedError(f"{_name(draw)} is sealed since its scheduled close at {close}; nothing is left to do")
    raise DrawRefusedError(
        f"{_told(act.at_ms, zone)} is after the scheduled close at {close}: a seal by hand comes before it", "at_ms"
    )


def _check_end(act: DrawAct, draw: Draw, times: DrawTimes, now_ms: int, zone: ZoneInfo) -> None:
    sealed = _told(times.sealed_ms, zone)
    if now_ms < times.sealed_ms:
        raise DrawRefusedError(f"{_name(draw)} is not sealed before {sealed}: seal it first, or wait")
    if act.at_ms < times.sealed_ms:
        raise DrawRefusedError(
            f"{_told(act.at_ms, zone)} is before the seal at {sealed}: give a time after it", "at_ms"
        )
    if act.at_ms > now_ms:
        raise DrawRefusedError(
            f"{_told(act.at_ms, zone)} is in the future: end the draw when it has ended, or leave the time out", "at_ms"
        )


def _name(draw: Draw) -> str:
    return f"draw {draw.draw_no} of {draw.game}"


def _told(at_ms: int, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(at_ms / 1000, zone).isoformat(sep=" ", timespec="seconds")
