"""Writes a compiled message as the proto text ClickHouse's Protobuf format wants: no package, no comments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf.descriptor import FieldDescriptor

if TYPE_CHECKING:
    from google.protobuf.descriptor import Descriptor

_SCALARS = {
    FieldDescriptor.TYPE_DOUBLE: "double",
    FieldDescriptor.TYPE_INT64: "int64",
    FieldDescriptor.TYPE_UINT64: "uint64",
    FieldDescriptor.TYPE_INT32: "int32",
    FieldDescriptor.TYPE_UINT32: "uint32",
    FieldDescriptor.TYPE_BOOL: "bool",
    FieldDescriptor.TYPE_STRING: "string",
    FieldDescriptor.TYPE_BYTES: "bytes",
}


def proto_text(message: Descriptor) -> str:
    """Return a proto3 file with `message` and every message it uses.

    Enums are written as int32, so that a number arrives as it was sent; ClickHouse would fold unknown ones.
    """
    seen: dict[str, str] = {}
    _describe(message, seen)
    return 'syntax = "proto3";\n' + "\n".join(reversed(seen.values())) + "\n"


def _describe(message: Descriptor, seen: dict[str, str]) -> None:
    """Add the text of a message and of those it uses to `seen`."""
    if message.name in seen:
        return
    seen[message.name] = ""
    lines = []
    for field in message.fields:
        if field.message_type is not None:
            _describe(field.message_type, seen)
            kind = field.message_type.name
        elif field.enum_type is not None:
            kind = "int32"
        else:
            kind = _SCALARS[field.type]
        repeated = "repeated " if field.is_repeated else ""
        lines.append(f"  {repeated}{kind} {field.name} = {field.number};")
    seen[message.name] = f"message {message.name} {{\n" + "\n".join(lines) + "\n}"
