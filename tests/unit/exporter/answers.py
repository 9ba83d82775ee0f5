"""Answers as analytics gives them, small enough to check by eye."""

from __future__ import annotations

from fucai.v1 import analytics_pb2 as pb

RATIO = pb.GROWTH_MARK_RATIO
UP = pb.Growth(ratio=0.5, mark=RATIO)
NEW = pb.Growth(mark=pb.GROWTH_MARK_NEW)
NO_BASE = pb.Growth(mark=pb.GROWTH_MARK_NO_BASE)
PAIRING = pb.Pairing(from_day="2025-02-11", to_day="2025-03-10", base_from_day="2024-02-11", base_to_day="2024-03-10")


def about(answered_ms: int = 1, **freshness: object) -> pb.About:
    """What stands beside an answer."""
    fresh = pb.DataFreshness(answered_ms=answered_ms, **freshness)  # type: ignore[arg-type]  # as the caller names them
    return pb.About(freshness=fresh, currency="CNY")


def headline(*, published: bool = False) -> pb.HeadlineResponse:
    """An answer: sales up 7 %, one zone type new, one outlet outside any zone."""
    benchmark = pb.BenchmarkComparison(series="national_welfare", published=published, period="2025-02", growth=-0.03)
    if published:
        benchmark.excess_points = 10.0
    return pb.HeadlineResponse(
        from_day="2025-02-11",
        to_day="2025-03-10",
        total=pb.HeadlineGroup(
            active_outlets=54,
            base_active_outlets=50,
            scale_growth=pb.Growth(ratio=0.08, mark=RATIO),
            sales_fen=10_700_050,
            base_sales_fen=10_000_000,
            sales_growth=pb.Growth(ratio=0.07, mark=RATIO),
        ),
        groups=[
            pb.HeadlineGroup(group="night_market", active_outlets=3, sales_fen=200, scale_growth=NEW, sales_growth=NEW),
            pb.HeadlineGroup(
                group="",
                active_outlets=1,
                scale_growth=NO_BASE,
                sales_growth=pb.Growth(ratio=0.5, mark=pb.GROWTH_MARK_PARTIAL_BASE),
            ),
        ],
        benchmark=benchmark,
        freshness=pb.DataFreshness(latest_received_ms=1_741_600_000_500, answered_ms=1),
        currency="CNY",
    )


def scale_row(*group: str, sales_fen: int = 900, **fields: object) -> pb.ScaleRow:
    """A group with 4 outlets installed and 3 active, one of which is not registered."""
    return pb.ScaleRow(
        first_day="2025-02-11",
        day="2025-03-10",
        group=group,
        installed=4,
        active=3,
        active_not_installed=1,
        opened=2,
        closed=1,
        sales_fen=sales_fen,
        penetration=0.5,
        sales_per_outlet_fen=300,
        **fields,  # type: ignore[arg-type]  # as the caller names them
    )


def growth_row(*group: str, measures: tuple[pb.Measurement, ...] = ()) -> pb.GrowthRow:
    """A group with sales of 9 yuan, up by half, all of them of two same outlets."""
    sales = pb.Measurement(measure="sales", value=pb.Quantity(fen=900), base=pb.Quantity(fen=600), growth=UP)
    same = pb.Measurement(measure="same_outlet_sales", value=pb.Quantity(fen=900), base=pb.Quantity(fen=600), growth=UP)
    names = [f"{value}区" for value in group]
    return pb.GrowthRow(
        group=group, group_names=names, measurements=[sales, *measures], same_outlet=same, same_outlets=2
    )


def growth(*rows: pb.GrowthRow) -> pb.GrowthResponse:
    """An answer with these groups."""
    return pb.GrowthResponse(pairing=PAIRING, total=growth_row(), rows=rows, total_rows=len(rows), about=about())


def decomposition() -> pb.DecomposeResponse:
    """From 10 to 13 yuan: 5 of new outlets, -3 of closed ones, 1 of the same."""
    total = pb.Waterfall(
        base_fen=1_000,
        new_fen=500,
        closed_fen=-300,
        same_fen=100,
        value_fen=1_300,
        new_outlets=2,
        closed_outlets=1,
        same_outlets=7,
        scale_effect_fen=200,
        intensity_effect_fen=150,
        price_effect_fen=-60,
        other_effect_fen=10,
    )
    return pb.DecomposeResponse(pairing=PAIRING, total=total, about=about())
