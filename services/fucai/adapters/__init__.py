"""The only importers of kafka and clickhouse_connect: all I/O with the log and the store."""
