"""A growth answer as a sheet: the whole, then its groups; each measure with its base and growth, same outlets last."""

from __future__ import annotations

from collections.abc import Sequence

from fucai.cli.out.reading import change_of, days_fact, definitions_of, group_cells, group_columns
from fucai.cli.out.sheet import Cell, Column, Fact, Kind, Note, Row, Sheet, Tone
from fucai.cli.query.conditions import WHOLE
from fucai.cli.query.headline_sheet import benchmark_note
from fucai.cli.query.measured import MEASURES, measure_kind
from fucai.cli.query.notes import unrated_notes
from fucai.domain.labels import DIMENSIONS, Label
from fucai.v1 import analytics_pb2 as pb

_SAME = Label("同店", "same outlets")
_BASE = Label("基期", "base")
_GROWTH = Label("增长", "growth")


def growth_sheet(answer: pb.GrowthResponse, *, by: Sequence[str]) -> Sheet:
    """The answer, grouped `by` these dimensions: the first row is the whole, those of the groups follow."""
    measures = [one.measure for one in answer.total.measurements]
    currency = answer.about.currency
    pair = answer.pairing
    groups = Label("、".join(_dimension(name).zh for name in by), ", ".join(_dimension(name).en for name in by))
    grouped = Label(f"，按{groups.zh}", f", by {groups.en}") if by else Label("", "")
    notes = [Note(Label(pair.rule_zh, pair.rule_en))]
    if pair.warning_en:
        notes.append(Note(Label(pair.warning_zh, pair.warning_en), Tone.WARNING))
    notes += unrated_notes(answer.about.unrated, currency)
    if answer.HasField("benchmark"):
        notes.insert(0, benchmark_note(answer.benchmark))
    return Sheet(
        name="growth",
        title=Label(
            f"增长 {pair.from_day}..{pair.to_day}{grouped.zh}", f"Growth {pair.from_day}..{pair.to_day}{grouped.en}"
        ),
        columns=_columns(by, measures),
        rows=[_row(answer.total, by, currency), *(_row(row, by, currency) for row in answer.rows)],
        available=1 + answer.total_rows if answer.total_rows > len(answer.rows) else None,
        currency=currency,
        facts=[
            days_fact("from_day", Label("起", "from"), pair.from_day),
            days_fact("to_day", Label("止", "to"), pair.to_day),
            days_fact("base_from_day", Label("基期起", "base from"), pair.base_from_day),
            days_fact("base_to_day", Label("基期止", "base to"), pair.base_to_day),
            Fact("rule", Kind.TEXT, Label("对比规则", "comparison rule"), Label(pair.rule_zh, pair.rule_en)),
            Fact("open_days", Kind.COUNT, Label("开市日", "open days"), pair.open_days),
            Fact("base_open_days", Kind.COUNT, Label("基期开市日", "open days of the base"), pair.base_open_days),
        ],
        notes=notes,
        definitions=definitions_of(answer.about.definitions),
        freshness=answer.about.freshness,
        bold=frozenset({0}),
    )


def _dimension(name: str) -> Label:
    return DIMENSIONS.get(name, Label(name, name))


def _columns(by: Sequence[str], measures: Sequence[str]) -> list[Column]:
    """On a narrow screen bases go first, then what stands furthest to the right."""
    found = [Column("level", Kind.NAME, Label("范围", "scope"), screen=None if by else 0)]
    found += [column for dimension in by for column in group_columns(dimension)]
    for place, measure in enumerate(measures):
        label, kind = MEASURES.get(measure, Label(measure, measure)), measure_kind(measure)
        found += [
            Column(measure, kind, label, measure, screen=2 * place),
            Column(f"base_{measure}", kind, _BASE, measure, screen=50 + place),
            Column(f"{measure}_growth", Kind.GROWTH, _GROWTH, "growth", screen=2 * place),
        ]
    return [
        *found,
        Column("same_outlets", Kind.COUNT, Label("同店数", "same outlets"), "same_outlet_sales", screen=40),
        Column("same_outlet_sales", Kind.MONEY, _SAME, "same_outlet_sales", screen=None),
        Column("base_same_outlet_sales", Kind.MONEY, _BASE, "same_outlet_sales", screen=None),
        Column("same_outlet_growth", Kind.GROWTH, Label("同店增长", "same-outlet growth"), "growth", screen=30),
        Column("currency", Kind.TEXT, Label("币种", "currency"), screen=None),
    ]


def _row(row: pb.GrowthRow, by: Sequence[str], currency: str) -> Row:
    """A row; the whole has no group, and its name stands where the first group's does."""
    whole = not row.group
    values = zip(by, row.group, row.group_names, strict=True) if not whole else ()
    groups: list[Cell] = [cell for group in values for cell in group_cells(*group)]
    if whole:
        groups = ["", WHOLE, *["", ""] * (len(by) - 1)] if by else []
    return (
        "total" if whole and by else WHOLE if whole else "group",
        *groups,
        *(cell for one in row.measurements for cell in measurement_cells(one)),
        row.same_outlets,
        *measurement_cells(row.same_outlet),
        currency,
    )


def measurement_cells(one: pb.Measurement) -> tuple[Cell, Cell, Cell]:
    """Value, base and growth; None where absent."""
    return (
        quantity_of(one.value) if one.HasField("value") else None,
        quantity_of(one.base) if one.HasField("base") else None,
        change_of(one.growth) if one.HasField("growth") else None,
    )


def quantity_of(found: pb.Quantity) -> int | float | None:
    """The value of a quantity; None where it has none."""
    kind = found.WhichOneof("value")
    return None if kind is None else getattr(found, kind)
