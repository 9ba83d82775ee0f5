"""ClickHouse's HTTP interface over the engine in this process, for one machine. Not a server for a network."""
