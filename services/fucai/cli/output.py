"""What all output shares: consoles for data and for talk, the language of labels, messages of the contract as dicts."""

from __future__ import annotations

import enum
import os
import sys
from collections.abc import Mapping
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from rich.console import Console

TABLE_COLUMNS = 100
_WIDE = {FieldDescriptor.TYPE_INT64, FieldDescriptor.TYPE_UINT64}


class Lang(enum.StrEnum):
    """Language of labels."""

    ZH = "zh"
    EN = "en"


def language(asked: Lang | None, environ: Mapping[str, str] = os.environ) -> Lang:
    """The language asked for, else that of the locale: Chinese for zh, English for any other."""
    if asked is not None:
        return asked
    locale = next((environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environ.get(name)), "")
    return Lang.ZH if locale.lower().startswith("zh") else Lang.EN


def stdout_console() -> Console:
    """A console for tables: as wide as the terminal, 100 columns where there is none."""
    width = None if sys.stdout.isatty() else TABLE_COLUMNS
    return Console(width=width, highlight=False)


def stderr_console() -> Console:
    """A console for talk."""
    return Console(stderr=True, highlight=False, soft_wrap=True)


def as_dict(message: Message) -> dict[str, Any]:
    """The message as a dict; unlike protobuf's own JSON, 64-bit integers are integers."""
    plain = MessageToDict(message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)
    return _with_integers(message, plain)


def _with_integers(message: Message, plain: dict[str, Any]) -> dict[str, Any]:
    for field in message.DESCRIPTOR.fields:
        if field.name not in plain:
            continue
        value = plain[field.name]
        if field.type in _WIDE:
            plain[field.name] = [int(item) for item in value] if isinstance(value, list) else int(value)
        elif field.type == FieldDescriptor.TYPE_MESSAGE:
            inner = getattr(message, field.name)
            if isinstance(value, list):
                for part, item in zip(inner, value, strict=True):
                    _with_integers(part, item)
            else:
                _with_integers(inner, value)
    return plain
