"""What Prometheus sees of the auditor while draws are sealed."""

from __future__ import annotations

from prometheus_client import CollectorRegistry

from fucai.auditor.metrics import AuditorMetrics


def test_counts_by_game_end_when_the_next_draw_is_sealed() -> None:
    """From that moment on they are absent until they are shown anew; those of a sealed game stay away then, too."""
    registry = CollectorRegistry()
    metrics = AuditorMetrics(registry)

    def received(game: str) -> float | None:
        return registry.get_sample_value("fucai_auditor_events", {"game": game, "outcome": "received"})

    totals = {"ssq": (9, 9, 0, 0), "3d": (4, 4, 0, 0)}
    metrics.show_events(totals, {"3d": 1}, until_ms=1_000)
    metrics.hide_outdated(999)
    assert (received("ssq"), received("3d")) == (9, 5)
    metrics.hide_outdated(1_000)
    assert (received("ssq"), received("3d")) == (None, None)
    metrics.show_events(totals, {}, {"ssq"})
    metrics.hide_outdated(10**15)
    assert (received("ssq"), received("3d")) == (None, 4)
    assert registry.get_sample_value("fucai_auditor_unexplained_events", {"game": "ssq"}) == 0
