"""The options that set parameters of the rules of alerts. The service has the defaults, and checks the values."""

from __future__ import annotations

from typing import Annotated

import typer

from fucai.cli.sharing import sharing
from fucai.v1.analytics_pb2 import AlertParameters

_PANEL = "Rules"
_PERCENT_BP = 100
_YUAN_FEN = 100


def alert_parameters_of(
    *,
    weeks: Annotated[
        int | None,
        typer.Option(min=1, help="Open same weekdays that make an outlet's pattern; else 8.", rich_help_panel=_PANEL),
    ] = None,
    least_weeks: Annotated[
        int | None, typer.Option(min=1, help="With fewer nothing is judged; else 4.", rich_help_panel=_PANEL)
    ] = None,
    least_base: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="YUAN",
            help="Falls and rises: least median that is judged; else 200.",
            rich_help_panel=_PANEL,
        ),
    ] = None,
    least_z: Annotated[
        float | None,
        typer.Option(
            metavar="Z", help="Falls and rises: robust standard deviations away; else 3.5.", rich_help_panel=_PANEL
        ),
    ] = None,
    least_change: Annotated[
        float | None,
        typer.Option(
            min=0,
            metavar="PERCENT",
            help="Falls and rises: and so far from the median; else 30.",
            rich_help_panel=_PANEL,
        ),
    ] = None,
    least_spread: Annotated[
        float | None,
        typer.Option(
            min=0,
            metavar="PERCENT",
            help="Falls and rises: least spread, as a part of the median; else 10.",
            rich_help_panel=_PANEL,
        ),
    ] = None,
    least_share: Annotated[
        float | None,
        typer.Option(
            min=0,
            metavar="PERCENT",
            help="Silence: days of the pattern with a sale, from which it is usual; else 80.",
            rich_help_panel=_PANEL,
        ),
    ] = None,
    least_active: Annotated[
        float | None,
        typer.Option(
            min=0, metavar="PERCENT", help="Active terminals: of those installed; else 96.", rich_help_panel=_PANEL
        ),
    ] = None,
) -> AlertParameters:
    """The parameters given; percentages to hundredths."""
    return AlertParameters(
        weeks=weeks,
        least_weeks=least_weeks,
        least_base_fen=None if least_base is None else least_base * _YUAN_FEN,
        least_z=least_z,
        least_change_bp=_bp(least_change),
        least_spread_bp=_bp(least_spread),
        least_share_bp=_bp(least_share),
        least_active_bp=_bp(least_active),
    )


with_alert_parameters = sharing("parameters", alert_parameters_of)
"""Gives a command the options of the rules: its keyword `parameters` gets the `AlertParameters` that they make."""


def _bp(percent: float | None) -> int | None:
    return None if percent is None else round(percent * _PERCENT_BP)
