"""What is wrong with one value of a record. Says nothing of where the record came from."""

from __future__ import annotations

from dataclasses import dataclass

_SHOWN_CHARACTERS = 80


@dataclass(frozen=True, slots=True)
class Fault:
    """The field at fault, its value as found, and what is wrong with it and what to do."""

    field: str
    value: str
    remedy: str


def shown(value: object) -> str:
    """A value for people, cut to a readable length."""
    text = str(value)
    return text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "…"
