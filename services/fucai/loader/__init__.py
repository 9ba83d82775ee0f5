"""Kafka to ClickHouse, each event exactly once. Changes no record and knows no rule of the channel."""
