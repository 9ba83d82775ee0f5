-- What people decided about events that stand in no figure. Rows are added, never changed.
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

-- Attempts to bring quarantined events into the figures after their cause was mended.
CREATE TABLE IF NOT EXISTS quarantine_replays ${on_cluster}
(
    terminal_id    String,
    epoch          UInt32,
    seq            UInt64,
    outcome        LowCardinality(String),
    detail         String,
    replayed_by    String,
    at             DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')
)
ENGINE = ${merge_tree}
ORDER BY (terminal_id, epoch, seq, at)
SETTINGS ${durable};
