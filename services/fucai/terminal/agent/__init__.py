"""The terminal agent: runs at an outlet, keeps what the till records on its disk, and brings it to the collector."""
