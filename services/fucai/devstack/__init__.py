"""The whole suite on one machine: real Kafka, ClickHouse's engine behind HTTP, and a supervisor."""
