"""ClickHouse's errors as its HTTP interface tells them: code, text and status. Raises none by itself."""

from __future__ import annotations

import re
from http import HTTPStatus

_CODE = re.compile(r"Code: (\d+)\. ")
_PREFIXES = re.compile(r"^(?:Code: \d+\. DB::(?:\w*)Exception: )+(?=Code: \d+)()")
_NAME = re.compile(r"\(([A-Z][A-Z0-9_]+)\)(?: \(version [^)]*\)*)?\s*$")

_STATUS_NAMES = {
    HTTPStatus.BAD_REQUEST: (
        "BAD_ARGUMENTS CANNOT_COMPILE_REGEXP CANNOT_PARSE_TEXT CANNOT_PARSE_ESCAPE_SEQUENCE CANNOT_PARSE_QUOTED_STRING "
        "CANNOT_PARSE_DATE CANNOT_PARSE_DATETIME CANNOT_PARSE_NUMBER CANNOT_PARSE_DOMAIN_VALUE_FROM_STRING "
        "CANNOT_PARSE_IPV4 CANNOT_PARSE_IPV6 CANNOT_PARSE_INPUT_ASSERTION_FAILED CANNOT_PARSE_UUID DUPLICATE_COLUMN "
        "ILLEGAL_COLUMN UNKNOWN_ELEMENT_IN_AST UNKNOWN_TYPE_OF_AST_NODE THERE_IS_NO_COLUMN TOO_DEEP_AST TOO_BIG_AST "
        "UNEXPECTED_AST_STRUCTURE SYNTAX_ERROR INCORRECT_DATA TYPE_MISMATCH VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE"
    ),
    HTTPStatus.NOT_FOUND: (
        "UNKNOWN_TABLE UNKNOWN_FUNCTION UNKNOWN_IDENTIFIER UNKNOWN_TYPE UNKNOWN_STORAGE UNKNOWN_DATABASE "
        "UNKNOWN_SETTING UNKNOWN_DIRECTION_OF_SORTING UNKNOWN_AGGREGATE_FUNCTION UNKNOWN_FORMAT "
        "UNKNOWN_DATABASE_ENGINE UNKNOWN_TYPE_OF_QUERY UNKNOWN_ROLE"
    ),
    HTTPStatus.FORBIDDEN: "ACCESS_DENIED",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "QUERY_IS_TOO_LARGE",
    HTTPStatus.NOT_IMPLEMENTED: "NOT_IMPLEMENTED",
    HTTPStatus.SERVICE_UNAVAILABLE: "SOCKET_TIMEOUT CANNOT_OPEN_FILE CANNOT_SCHEDULE_TASK",
    HTTPStatus.REQUEST_TIMEOUT: "TIMEOUT_EXCEEDED",
}
_STATUS = {name: status for status, names in _STATUS_NAMES.items() for name in names.split()}
_UNKNOWN_EXCEPTION = 1002


class EngineError(Exception):
    """An error with ClickHouse's code and text, "Code: 60. DB::Exception: ... (UNKNOWN_TABLE)"."""

    def __init__(self, text: str, version: str = "") -> None:
        at = text.find("Code: ")
        if at < 0:
            text = f"Code: {_UNKNOWN_EXCEPTION}. DB::Exception: {text} (UNKNOWN_EXCEPTION)"
        text = _PREFIXES.sub(r"\1", text[max(at, 0) :].strip())
        if version and "(version " not in text:
            text = f"{text} (version {version})"
        super().__init__(text)
        self.text = text
        match = _CODE.match(text)
        self.code = int(match[1]) if match else _UNKNOWN_EXCEPTION

    @property
    def status(self) -> HTTPStatus:
        """The HTTP status with which ClickHouse answers such an error; 500 where it has none of its own."""
        match = _NAME.search(self.text)
        return _STATUS.get(match[1] if match else "", HTTPStatus.INTERNAL_SERVER_ERROR)


def refusal(code: int, name: str, text: str) -> EngineError:
    """Return an error of the endpoint itself, in ClickHouse's form."""
    return EngineError(f"Code: {code}. DB::Exception: {text} ({name})")


def not_implemented(text: str) -> EngineError:
    """Return the error for what the local endpoint leaves out."""
    return refusal(48, "NOT_IMPLEMENTED", text)
