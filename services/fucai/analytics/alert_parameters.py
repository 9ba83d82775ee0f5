"""Parameters of the rules of alerts: reads and checks what a question gives, and tells those used. Judges nothing."""

from __future__ import annotations

import math

from fucai.domain.alerts import RuleSet
from fucai.domain.baseline import SwingRule
from fucai.domain.rounding import BASIS_POINTS
from fucai.domain.usual_hours import SilenceRule
from fucai.runtime.errors import Violation
from fucai.v1.analytics_pb2 import AlertParameters

MAX_WEEKS = 26
MAX_Z = 100.0
MAX_CHANGE_BP = 100 * BASIS_POINTS
_MAX_BASE_FEN = 10**13
_REACH = 2  # weeks looked through for each of the pattern, since closed days are left out


def read_parameters(given: AlertParameters, bad: list[Violation]) -> RuleSet:
    """The rule set with what was given; each value out of bounds is added to `bad`, and its default taken."""
    default = RuleSet()
    swing, silence = default.swing, default.silence
    weeks = _whole(given, "weeks", swing.weeks, (1, MAX_WEEKS), bad)
    least_weeks = _whole(given, "least_weeks", min(swing.least_weeks, weeks), (1, weeks), bad)
    reach = _REACH * weeks
    return RuleSet(
        SwingRule(
            weeks=weeks,
            reach_weeks=reach,
            least_weeks=least_weeks,
            least_base_fen=_whole(given, "least_base_fen", swing.least_base_fen, (1, _MAX_BASE_FEN), bad),
            least_z=_z(given, swing.least_z, bad),
            least_change_bp=_whole(given, "least_change_bp", swing.least_change_bp, (0, MAX_CHANGE_BP), bad),
            floor_bp=_whole(given, "least_spread_bp", swing.floor_bp, (1, BASIS_POINTS), bad),
        ),
        SilenceRule(
            weeks=weeks,
            reach_weeks=reach,
            least_weeks=least_weeks,
            least_share_bp=_whole(given, "least_share_bp", silence.least_share_bp, (1, BASIS_POINTS), bad),
            reach_days=silence.reach_days,
        ),
        _whole(given, "least_active_bp", default.least_active_bp, (1, BASIS_POINTS), bad),
    )


def parameters_of(rules: RuleSet) -> AlertParameters:
    """All parameters of a rule set, as an answer states them."""
    swing = rules.swing
    return AlertParameters(
        weeks=swing.weeks,
        least_weeks=swing.least_weeks,
        least_base_fen=swing.least_base_fen,
        least_z=swing.least_z,
        least_change_bp=swing.least_change_bp,
        least_spread_bp=swing.floor_bp,
        least_share_bp=rules.silence.least_share_bp,
        least_active_bp=rules.least_active_bp,
    )


def _whole(given: AlertParameters, name: str, default: int, bounds: tuple[int, int], bad: list[Violation]) -> int:
    if not given.HasField(name):  # type: ignore[arg-type]  # a name of the contract, as all callers above give it
        return default
    value = int(getattr(given, name))
    least, most = bounds
    if not least <= value <= most:
        bad.append(Violation(f"parameters.{name}", f"{value:,} is out of bounds: choose {least:,} to {most:,}"))
        return default
    return value


def _z(given: AlertParameters, default: float, bad: list[Violation]) -> float:
    if not given.HasField("least_z"):
        return default
    if not math.isfinite(given.least_z) or not 0 < given.least_z <= MAX_Z:
        text = f"{given.least_z:g} is out of bounds: choose a number above 0, at most {MAX_Z:g}"
        bad.append(Violation("parameters.least_z", text))
        return default
    return given.least_z
