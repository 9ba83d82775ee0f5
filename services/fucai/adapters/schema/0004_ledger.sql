-- What people decided about events that stand in no figure; rows are added, never changed. And what makes the ledger quick to ask.
-- Sequence numbers of which somebody declared, with name and reason, that they will not come or not count.
CREATE TABLE IF NOT EXISTS waivers ${on_cluster}
(
    terminal_id    String,
    epoch          UInt32,
    first_seq      UInt64,
    last_seq       UInt64,
    reason         String,
    waived_by      String,
    at             DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')
)
ENGINE = ${merge_tree}
ORDER BY (terminal_id, epoch, first_seq, at)
SETTINGS ${durable};

-- Attempts to bring quarantined events into the figures after their cause was mended. Reason, field and detail say why one is still bad.
CREATE TABLE IF NOT EXISTS quarantine_replays ${on_cluster}
(
    terminal_id    String,
    epoch          UInt32,
    seq            UInt64,
    outcome        LowCardinality(String),
    reason         LowCardinality(String),
    field          LowCardinality(String),
    detail         String,
    replayed_by    String,
    at             DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')
)
ENGINE = ${merge_tree}
ORDER BY (terminal_id, epoch, seq, at)
SETTINGS ${durable};

-- When events were received, by 1,024 numbers of a terminal: since when a number is missing, and who has gone silent.
ALTER TABLE sales ${on_cluster} ADD PROJECTION IF NOT EXISTS arrivals
(
    SELECT kafka_partition, terminal_id, epoch, intDiv(seq, 1024), min(received_at), max(received_at)
    GROUP BY kafka_partition, terminal_id, epoch, intDiv(seq, 1024)
);

ALTER TABLE sales ${on_cluster} MATERIALIZE PROJECTION IF EXISTS arrivals;

-- Finds the rows of one terminal: rows are ordered by outlet, so that they lie together.
ALTER TABLE sales ${on_cluster} ADD INDEX IF NOT EXISTS terminals terminal_id TYPE bloom_filter(0.01) GRANULARITY 1;

ALTER TABLE sales ${on_cluster} MATERIALIZE INDEX IF EXISTS terminals;
