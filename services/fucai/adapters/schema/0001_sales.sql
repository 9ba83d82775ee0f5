-- Sales events, one row each, for ever; with them duplicates and quarantine.
-- A row says where it came from (Kafka partition and offset), so every figure can be traced to a record.
CREATE TABLE IF NOT EXISTS sales ${on_cluster}
(
    outlet_id        LowCardinality(String),
    business_day     Date,
    sold_at          DateTime64(3, 'UTC') CODEC(DoubleDelta, LZ4),
    sold_hour        UInt8,
    kind             Enum8('SALE' = 1, 'VOID' = 2, 'PAYOUT' = 3),
    game             LowCardinality(String),
    draw_no          LowCardinality(String),
    amount_fen       Int64,
    bets             UInt32,
    multiplier       UInt32,
    face_value_fen   Int64,
    companion_fen    Int64,
    daily_summary    Bool,
    ticket_serial    String,
    refers_terminal  String,
    refers_epoch     UInt32,
    refers_seq       UInt64,
    terminal_id      String,
    epoch            UInt32,
    seq              UInt64 CODEC(Delta, LZ4),
    digest           String,
    received_at      DateTime64(3, 'UTC') CODEC(DoubleDelta, LZ4),
    collector_id     LowCardinality(String),
    kafka_partition  UInt16,
    kafka_offset     UInt64 CODEC(Delta, LZ4),
    stored_at        DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') CODEC(DoubleDelta, LZ4),

    -- Finds records stored after a committed offset without reading the old ones.
    INDEX offsets kafka_offset TYPE minmax GRANULARITY 1,

    -- Figures by day: what trends, headline and growth read.
    PROJECTION daily
    (
        SELECT business_day, outlet_id, game, draw_no, kind,
               count(), sum(amount_fen), sum(bets), sum(companion_fen), max(received_at)
        GROUP BY business_day, outlet_id, game, draw_no, kind
    ),
    -- Figures by hour over the whole channel.
    PROJECTION hourly
    (
        SELECT business_day, sold_hour, daily_summary, game, draw_no, kind,
               count(), sum(amount_fen), sum(bets), max(received_at)
        GROUP BY business_day, sold_hour, daily_summary, game, draw_no, kind
    ),
    -- What is stored of each terminal: a loader's memory after a restart. Without holes where max - min + 1 = count.
    PROJECTION hwm
    (
        SELECT kafka_partition, terminal_id, epoch, min(seq), max(seq), count()
        GROUP BY kafka_partition, terminal_id, epoch
    ),
    -- The same by 1,024 numbers: where the holes are.
    PROJECTION blocks
    (
        SELECT kafka_partition, terminal_id, epoch, intDiv(seq, 1024), min(seq), max(seq), count()
        GROUP BY kafka_partition, terminal_id, epoch, intDiv(seq, 1024)
    )
)
ENGINE = ${merge_tree}
PARTITION BY toYYYYMM(business_day)
ORDER BY (outlet_id, business_day, sold_at, terminal_id, epoch, seq)
SETTINGS ${durable};

-- Records whose sequence numbers were stored before, from another place in Kafka. Read them by distinct (topic, partition, offset, seq).
CREATE TABLE IF NOT EXISTS sales_duplicates ${on_cluster}
(
    terminal_id      String,
    epoch            UInt32,
    seq              UInt64,
    outlet_id        LowCardinality(String),
    sold_at_ms       Int64,
    kind             Int32,
    game             LowCardinality(String),
    draw_no          LowCardinality(String),
    amount_fen       Int64,
    bets             UInt32,
    multiplier       UInt32,
    face_value_fen   Int64,
    companion_fen    Int64,
    ticket_serial    String,
    was_quarantined  Bool,
    received_at      DateTime64(3, 'UTC'),
    collector_id     LowCardinality(String),
    kafka_topic      UInt8,
    kafka_partition  UInt16,
    kafka_offset     UInt64,
    stored_at        DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')
)
ENGINE = ${replacing_merge_tree}
PARTITION BY toYYYYMM(received_at)
ORDER BY (terminal_id, epoch, seq, kafka_topic, kafka_partition, kafka_offset)
SETTINGS ${durable};

-- Events that stand in no figure, and why. Read them by distinct (topic, partition, offset, seq); storing an event closes its entry.
CREATE TABLE IF NOT EXISTS quarantine ${on_cluster}
(
    terminal_id      String,
    epoch            UInt32,
    seq              UInt64,
    reason           LowCardinality(String),
    field            LowCardinality(String),
    detail           String,
    outlet_id        String,
    sold_at_ms       Int64,
    kind             Int32,
    game             String,
    draw_no          String,
    amount_fen       Int64,
    bets             UInt32,
    multiplier       UInt32,
    face_value_fen   Int64,
    companion_fen    Int64,
    daily_summary    Bool,
    ticket_serial    String,
    refers_terminal  String,
    refers_epoch     UInt32,
    refers_seq       UInt64,
    raw_record       String,
    received_at      DateTime64(3, 'UTC'),
    collector_id     LowCardinality(String),
    kafka_topic      UInt8,
    kafka_partition  UInt16,
    kafka_offset     UInt64,
    stored_at        DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')
)
ENGINE = ${replacing_merge_tree}
ORDER BY (kafka_topic, kafka_partition, kafka_offset, seq)
SETTINGS ${durable};

-- What may never change once events are stored: the business time zone and the currency.
CREATE TABLE IF NOT EXISTS store_settings ${on_cluster}
(
    name       String,
    value      String,
    set_at     DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')
)
ENGINE = ${merge_tree}
ORDER BY name
SETTINGS ${durable};
