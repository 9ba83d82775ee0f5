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

-- Comparisons of three accounts of one day: the terminal's close, Kafka, ClickHouse. Sums are zero where a draw was sealed (withheld).
CREATE TABLE IF NOT EXISTS reconciliations ${on_cluster}
(
    run_id             String,
    run_at             DateTime64(3, 'UTC'),
    business_day       Date,
    outlet_id          LowCardinality(String),
    terminal_id        String,
    epoch              UInt32,
    game               LowCardinality(String),
    kind               LowCardinality(String),
    has_close          Bool,
    stated_events      UInt64,
    stated_bets        UInt64,
    stated_fen         Int64,
    closed_events      UInt64,
    closed_bets        UInt64,
    closed_fen         Int64,
    kafka_events       UInt64,
    kafka_bets         UInt64,
    kafka_fen          Int64,
    stored_events      UInt64,
    stored_bets        UInt64,
    stored_fen         Int64,
    quarantined_events UInt64,
    quarantined_bets   UInt64,
    quarantined_fen    Int64,
    verdict            LowCardinality(String),
    withheld           Bool,
    sequences          String,
    detail             String
)
ENGINE = ${merge_tree}
PARTITION BY toYYYYMM(business_day)
ORDER BY (business_day, outlet_id, terminal_id, epoch, game, kind, run_at)
SETTINGS ${durable};

-- Root hashes of business days, in hexadecimal, each chained to the day before. Rows are added, never changed: the first one of a day is what later ones are held against.
CREATE TABLE IF NOT EXISTS audit_roots ${on_cluster}
(
    business_day   Date,
    root           String,
    previous       String,
    content        String,
    through        UInt64,
    closes         UInt32,
    chains         UInt32,
    run_id         String,
    version        String,
    at             DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')
)
ENGINE = ${merge_tree}
ORDER BY (business_day, at)
SETTINGS ${durable};

-- Everything an audit found. The same thing found again is the same row, so that a restart counts nothing twice.
CREATE TABLE IF NOT EXISTS audit_findings ${on_cluster}
(
    kind           LowCardinality(String),
    terminal_id    String,
    epoch          UInt32,
    first_seq      UInt64,
    last_seq       UInt64,
    place          LowCardinality(String),
    field          String,
    detail         String,
    source         LowCardinality(String),
    run_id         String,
    at             DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')
)
ENGINE = ${replacing_merge_tree}
ORDER BY (kind, terminal_id, epoch, first_seq, last_seq, place, field, detail)
SETTINGS ${durable};

-- What became of all events of a run of Kafka offsets, by game: received = stored + duplicates + quarantined.
-- The auditor's memory after a restart: it goes on behind the highest offset here.
CREATE TABLE IF NOT EXISTS conservation ${on_cluster}
(
    kafka_topic      UInt8,
    kafka_partition  UInt16,
    first_offset     UInt64,
    end_offset       UInt64,
    game             LowCardinality(String),
    received         UInt64,
    stored           UInt64,
    duplicates       UInt64,
    quarantined      UInt64,
    at               DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')
)
ENGINE = ${replacing_merge_tree}
ORDER BY (kafka_topic, kafka_partition, first_offset, game)
SETTINGS ${durable};
