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

-- What stands in quarantine now, by the ledger's rule: numbers of events that are neither stored nor waived, each once however many
-- records brought it; and records kept as raw bytes (is_raw) that are not waived, each once. It shows no content: sealed draws stay covered.
CREATE VIEW IF NOT EXISTS open_quarantine ${on_cluster} AS
WITH
    bad AS
    (
        SELECT DISTINCT terminal_id, epoch, seq, reason = 'BAD_RECORD' AS is_raw,
            if(is_raw, (kafka_topic, kafka_partition, kafka_offset), (0, 0, 0)) AS record
        FROM ${database}.quarantine
    ),
    spans AS
    (
        SELECT terminal_id, epoch, groupArray((first_seq, last_seq)) AS waived
        FROM ${database}.waivers
        GROUP BY terminal_id, epoch
    ),
    stored AS
    (
        SELECT terminal_id, epoch, seq
        FROM ${database}.sales
        WHERE terminal_id IN (SELECT terminal_id FROM bad WHERE NOT is_raw)
            AND (terminal_id, epoch, seq) IN (SELECT terminal_id, epoch, seq FROM bad WHERE NOT is_raw)
    )
SELECT bad.terminal_id AS terminal_id, bad.epoch AS epoch, bad.seq AS seq, bad.is_raw AS is_raw
FROM bad
LEFT JOIN spans ON spans.terminal_id = bad.terminal_id AND spans.epoch = bad.epoch
WHERE NOT arrayExists(span -> bad.seq BETWEEN span.1 AND span.2, spans.waived)
    AND (is_raw OR (bad.terminal_id, bad.epoch, bad.seq) NOT IN stored);
