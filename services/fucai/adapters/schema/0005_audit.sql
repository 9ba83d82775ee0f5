-- What terminals stated, as the auditor read it from Kafka. The same record read again is the same row.
CREATE TABLE IF NOT EXISTS statements ${on_cluster}
(
    terminal_id      String,
    outlet_id        LowCardinality(String),
    epoch            UInt32,
    number           UInt32,
    kind             LowCardinality(String),
    business_day     Date,
    close_no         UInt32,
    first_seq        UInt64,
    last_seq         UInt64,
    digest           String,
    content          String,
    signature        String,
    public_key       String,
    verdict          LowCardinality(String),
    detail           String,
    stated_at        DateTime64(3, 'UTC'),
    received_at      DateTime64(3, 'UTC'),
    kafka_partition  UInt16,
    kafka_offset     UInt64
)
ENGINE = ${replacing_merge_tree}
ORDER BY (terminal_id, epoch, number, kafka_partition, kafka_offset)
SETTINGS ${durable};

-- Comparisons of three accounts of one day: the terminal's close, Kafka, ClickHouse. Amounts are withheld while a draw is sealed.
CREATE TABLE IF NOT EXISTS reconciliations ${on_cluster}
(
    run_id           String,
    run_at           DateTime64(3, 'UTC'),
    business_day     Date,
    outlet_id        LowCardinality(String),
    terminal_id      String,
    epoch            UInt32,
    game             LowCardinality(String),
    kind             LowCardinality(String),
    stated_events    UInt64,
    stated_bets      UInt64,
    stated_fen       Int64,
    kafka_events     UInt64,
    kafka_bets       UInt64,
    kafka_fen        Int64,
    stored_events    UInt64,
    stored_bets      UInt64,
    stored_fen       Int64,
    quarantined_events UInt64,
    verdict          LowCardinality(String),
    withheld         Bool,
    sequences        String,
    detail           String
)
ENGINE = ${merge_tree}
PARTITION BY toYYYYMM(business_day)
ORDER BY (business_day, outlet_id, terminal_id, epoch, game, kind, run_at)
SETTINGS ${durable};
