"""Names of the Kafka topics, as on the wire; their settings are in adapters/topics.py."""

from __future__ import annotations

SALES = "fucai.sales.v1"
QUARANTINE = "fucai.quarantine.v1"
DAYCLOSE = "fucai.dayclose.v1"
