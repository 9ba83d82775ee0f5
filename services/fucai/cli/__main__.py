"""The `fucai` command: what it can do. The commands themselves are in the modules named here."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from fucai.cli import lazy

_CLICK_USAGE = 2  # what typer exits with when the command line is wrong; sysexits has 64

_ABOUT = """Sales of lottery outlets, collected exactly once, and how the channel grows.

Start a whole stack on this machine, and ask it:

    fucai up --data .demo &
    fucai import registry --sample --data .demo
    fucai simulate --history 400 --rate 20 --data .demo &
    fucai query headline --by zone_type --data .demo

Or see it all at once: fucai demo. Say where the stack is by --data DIR or FUCAI_DATA=DIR.
Every answer to `fucai query` is a table, a curve (--plot) or a file: --output FILE.csv, .json, .xlsx, .parquet, .arrow.
Exit codes are those of sysexits.h: 64 usage, 65 data, 66 no input, 69 unavailable, 70 software, 73 no such output,
75 try again.
"""

app = lazy.group(
    {
        "demo": ("fucai.cli.demo:demo", "Start everything, fill it with sample data and watch it grow."),
        "up": ("fucai.cli.up:up", "Start broker, ClickHouse and all services on this machine."),
        "migrate": ("fucai.cli.migrate:migrate", "Create or upgrade the Kafka topics and ClickHouse tables."),
        "simulate": ("fucai.cli.simulate:simulate", "Stream realistic sales of all registered outlets."),
        "reconcile": ("fucai.cli.reconcile:reconcile", "Compare a day three ways: closes, Kafka, ClickHouse."),
        "verify": ("fucai.cli.verify:verify", "Prove a period: name every changed, added or removed row."),
        "status": ("fucai.cli.status:status", "Show each part: ready or why not, lag, events per second."),
        "gaps": ("fucai.cli.gaps:gaps", "List missing events, or terminals that are silent."),
        "conservation": ("fucai.cli.conservation:conservation", "Count where all events are, by game, outlet or draw."),
    },
    name="fucai",
    help=_ABOUT,
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(
    lazy.group(
        {
            "registry": ("fucai.cli.import_registry:import_registry", "Load zones, outlets, games ... from CSV files."),
            "sales": ("fucai.cli.import_sales:import_sales", "Send daily sales of the past from a CSV file."),
        },
        no_args_is_help=True,
    ),
    name="import",
    help="Bring in master data, or sales of the past.",
)
app.add_typer(
    lazy.group(
        {
            "run": ("fucai.cli.terminal_run:run", "Run the agent of one terminal, until it is stopped."),
            "record": ("fucai.cli.terminal_record:record", "Record a sale, void or payout, or many from stdin."),
            "close": ("fucai.cli.terminal:close", "Close a business day."),
            "status": ("fucai.cli.terminal:status", "Show what waits, what became of the rest, and warnings."),
            "key": ("fucai.cli.terminal:key", "Print the terminal's public key, and the line to register it."),
        },
        no_args_is_help=True,
    ),
    name="terminal",
    help="The agent at an outlet: keeps what the till records, and brings it to the collector.",
)
app.add_typer(
    lazy.group(
        {
            "trend": ("fucai.cli.query.trend:trend", "Sales over time, by any dimensions, beside a comparison."),
            "headline": ("fucai.cli.query.headline:headline", "Scale and sales, year on year, beside a benchmark."),
            "growth": ("fucai.cli.query.growth:growth", "A period against its base, by any dimensions."),
            "scale": ("fucai.cli.query.scale:scale", "Outlets installed, active, opened, closed; sales per outlet."),
            "profile": ("fucai.cli.query.profile:profile", "When sales happen: a heat map of hours by weekday."),
            "outlet": ("fucai.cli.query.outlet:outlet", "One outlet's card."),
            "benchmark": ("fucai.cli.query.benchmark:benchmark", "A published series beside our own sales."),
            "silent": ("fucai.cli.query.silent:silent", "Outlets that should be selling and are not."),
            "alerts": ("fucai.cli.query.alerts:alerts", "Sharp falls and rises, silence, idle terminals of a day."),
            "freshness": ("fucai.cli.query.freshness:freshness", "Reach, lag, sealed draws, quarantine."),
            "decompose": ("fucai.cli.query.decompose:decompose", "Why sales changed: a waterfall, exact to the fen."),
            "rank": ("fucai.cli.query.rank:rank", "Who leads; new stars and progress; who is left out and why."),
        },
        no_args_is_help=True,
    ),
    name="query",
    help="Ask for figures.",
)
app.add_typer(
    lazy.group(
        {
            "weekly": ("fucai.cli.report.command:weekly", "The bulletin of a week, beside the same weekdays before."),
            "monthly": ("fucai.cli.report.command:monthly", "The bulletin of a month, beside the year before."),
        },
        no_args_is_help=True,
    ),
    name="report",
    help="Write the channel bulletin (渠道简报): one HTML file to print, send or keep.",
)
app.add_typer(
    lazy.group(
        {
            "list": ("fucai.cli.draws:list_draws", "List draws, and which are sealed."),
            "show": ("fucai.cli.draws:show", "Show one draw: its times, who acted, late events."),
            "seal": ("fucai.cli.draws:seal", "Seal a draw before its scheduled close of sales."),
            "end": ("fucai.cli.draws:end", "End a draw: its figures are shown again."),
            "schedule": ("fucai.cli.schedule:schedule", "Register the draws that the game catalogue foresees."),
        },
        no_args_is_help=True,
    ),
    name="draws",
    help="Draws and their embargo: nobody sees figures of a draw from its seal to its end.",
)
app.add_typer(
    lazy.group(
        {
            "list": ("fucai.cli.quarantine:list_entries", "List events in quarantine, newest first."),
            "show": ("fucai.cli.quarantine:show", "Show all that is known of one of them."),
            "replay": ("fucai.cli.quarantine:replay", "Judge events again, and store the good ones."),
            "waive": ("fucai.cli.quarantine:waive", "Declare that events will not come, or shall not count."),
        },
        no_args_is_help=True,
    ),
    name="quarantine",
    help="Look after events that stand in no figure.",
)


def _show_version(wanted: bool) -> None:  # noqa: FBT001 (typer calls it with the option's value)
    if wanted:
        from fucai.runtime.telemetry import version  # noqa: PLC0415 (only --version needs it)

        typer.echo(f"fucai {version()}")
        raise typer.Exit


@app.callback()
def _root(
    *,
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line and exit with a sysexits code; failures print one line and a hint to stderr."""
    try:
        app(prog_name="fucai")
    except SystemExit as end:
        raise SystemExit(os.EX_USAGE if end.code == _CLICK_USAGE else end.code) from end
    except Exception as error:
        import grpc  # noqa: PLC0415 (only failures need it; --help stays fast)

        from fucai.cli.errors import CliError, report  # noqa: PLC0415 (as above)
        from fucai.runtime.errors import FatalError  # noqa: PLC0415 (as above)
        from fucai.runtime.settings import SettingsError  # noqa: PLC0415 (as above)

        if isinstance(error, CliError | grpc.RpcError):
            sys.exit(report(error))
        if isinstance(error, FatalError):
            sys.exit(report(CliError(str(error), exit_code=error.exit_code)))
        if isinstance(error, SettingsError):
            sys.exit(report(CliError(str(error), exit_code=os.EX_CONFIG)))
        raise


if __name__ == "__main__":
    main()
