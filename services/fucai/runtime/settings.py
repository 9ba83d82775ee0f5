"""Settings that every process reads from FUCAI_* environment variables. Services subclass for their own."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

ENV_PREFIX = "FUCAI_"
MAX_PORT = 65535


class SettingsError(Exception):
    """One or more settings are unusable. `problems` holds one line per setting: name, value, what is wrong."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def split_address(address: str) -> tuple[str, int]:
    """Host and port of "host:port" or "[v6]:port".

    Raises:
        ValueError: the text is not of that form, or the port is above 65535.
    """
    host, colon, port = address.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not host or not re.fullmatch(r"[0-9]{1,5}", port) or int(port) > MAX_PORT:
        raise ValueError("write it as host:port, for example 127.0.0.1:19010")
    return host, int(port)


def _address(text: str) -> str:
    split_address(text)
    return text


def _addresses(text: str) -> str:
    for part in text.split(","):
        split_address(part.strip())
    return text


def _http_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("write it as http://host:port or https://host:port")
    return text


def _time_zone(text: str) -> str:
    if text not in available_timezones():
        raise ValueError("not a time zone of the IANA database; write for example Asia/Shanghai")
    return text


def _matching(pattern: str, remedy: str) -> AfterValidator:
    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(remedy)
        return text

    return AfterValidator(check)


Address = Annotated[str, AfterValidator(_address)]
Addresses = Annotated[str, AfterValidator(_addresses)]
HttpUrl = Annotated[str, AfterValidator(_http_url)]
TimeZoneName = Annotated[str, AfterValidator(_time_zone)]
Currency = Annotated[str, _matching("[A-Z]{3}", "write an ISO 4217 code in capitals, for example CNY")]
Identifier = Annotated[str, _matching("[A-Za-z_][A-Za-z0-9_]*", "use letters, digits and _, starting with a letter")]
Instance = Annotated[str, _matching("[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?", "use letters, digits and -")]


class ServiceSettings(BaseSettings):
    """What a process needs to know about its surroundings. Each field is read from FUCAI_<FIELD IN CAPITALS>.

    A service adds its own fields in a subclass beside its `__main__`, and reads them all with `from_env`.
    """

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, frozen=True, extra="ignore")

    kafka: Addresses = Field(default="127.0.0.1:19000", description="bootstrap servers, comma-separated")
    clickhouse: HttpUrl = Field(default="http://127.0.0.1:19002", description="ClickHouse's HTTP interface")
    database: Identifier = Field(default="fucai", description="ClickHouse database of this store")
    timezone: TimeZoneName = Field(default="Asia/Shanghai", description="time zone of business days")
    currency: Currency = Field(default="CNY", description="the one currency of this store")
    partitions: int = Field(default=8, ge=1, le=10_000, description="partitions of the sales topic, fixed for ever")

    instance: Instance = Field(default="local-0", description="name of this process, unique among its kind, stable")
    grpc: Address = Field(default="127.0.0.1:0", description="where gRPC listens; port 0 takes any free one")
    metrics: Address = Field(default="127.0.0.1:0", description="where /metrics and /ready listen")
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "console"] = "json"

    collector: Address = Field(default="127.0.0.1:19010", description="the collector's gRPC address, for its clients")
    registry: Address = Field(default="127.0.0.1:19020", description="the registry's gRPC address, for its clients")
    analytics: Address = Field(default="127.0.0.1:19040", description="the analytics' gRPC address, for its clients")
    ledger: Address = Field(default="127.0.0.1:19060", description="the ledger's gRPC address, for its clients")
    data: Path | None = Field(default=None, description="directory of the local stack, with its endpoints.json")

    max_message_bytes: int = Field(default=4 * 1024 * 1024, ge=1024, description="largest gRPC message accepted")
    stop_seconds: float = Field(default=10.0, gt=0, description="a graceful stop takes at most this long")

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of business days."""
        return ZoneInfo(self.timezone)

    @classmethod
    def from_env(cls, **given: Any) -> Self:
        """Reads the environment; values `given` here win over it.

        Raises:
            SettingsError: with one line for each unusable variable.
        """
        try:
            return cls(**given)
        except ValidationError as error:
            raise SettingsError([_problem(cls, dict(problem)) for problem in error.errors()]) from error

    @classmethod
    def from_env_or_exit(cls) -> Self:
        """As `from_env`, but prints the problems to stderr and ends the process with EX_CONFIG (78)."""
        try:
            return cls.from_env()
        except SettingsError as error:
            sys.stderr.write("".join(f"{problem}\n" for problem in error.problems))
            raise SystemExit(os.EX_CONFIG) from error


def _problem(cls: type[ServiceSettings], problem: dict[str, object]) -> str:
    location = problem["loc"]
    field = str(location[0]) if isinstance(location, tuple) and location else ""
    message = str(problem["msg"]).removeprefix("Value error, ")
    described = cls.model_fields.get(field)
    meaning = f" ({described.description})" if described is not None and described.description else ""
    shown = re.sub(r"//[^/]*@", "//***@", str(problem["input"]))  # a URL may carry a password
    return f"{ENV_PREFIX}{field.upper()}={shown}: {message}{meaning}"
