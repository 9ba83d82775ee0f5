-- A gate: the only door through which one loader's worker writes. Bytes of batches go in; rows of sales, duplicates and quarantine come out.
-- Its columns are the fields of SalesBatch; plain strings, because a string field sent twice arrives empty there and is noticed. A record that says something else than its key and header fails the whole insert, so that nothing of it is stored in silence; the loader then looks at each record.
CREATE TABLE ${gate}
(
    terminal_id      String,
    outlet_id        String,
    epoch            UInt32,
    events           Nested
    (
        seq            UInt64,
        kind           Int32,
        game           String,
        draw_no        LowCardinality(String),
        amount_fen     Int64,
        bets           UInt32,
        multiplier     UInt32,
        face_value_fen Int64,
        ticket_serial  String,
        sold_at_ms     Int64,
        refers_to      Tuple(terminal_id String, epoch UInt32, seq UInt64),
        companion_fen  Int64,
        daily_summary  Bool
    ),
    digest           String,
    received_at_ms   Int64,
    collector_id     String,
    findings         Nested(seq UInt64, reason Int32, field String, detail String),
    kafka_partition  Int32,
    kafka_offset     Int64,
    record_key       String,
    first_seq        UInt64,
    event_count      UInt32,
    disposition      Int32,
    raw_record       String,
    raw_detail       String,
    kafka_topic      UInt32,
    record_epoch     UInt32
)
ENGINE = Null;

CREATE MATERIALIZED VIEW ${gate}_to_sales TO sales AS
SELECT
    outlet_id,
    toDate(fromUnixTimestamp64Milli(event.sold_at_ms, '${timezone}')) AS business_day,
    fromUnixTimestamp64Milli(event.sold_at_ms, 'UTC') AS sold_at,
    toHour(fromUnixTimestamp64Milli(event.sold_at_ms, '${timezone}')) AS sold_hour,
    CAST(event.kind, 'Enum8(\'SALE\' = 1, \'VOID\' = 2, \'PAYOUT\' = 3)') AS kind,
    event.game AS game,
    event.draw_no AS draw_no,
    event.amount_fen AS amount_fen,
    event.bets AS bets,
    event.multiplier AS multiplier,
    event.face_value_fen AS face_value_fen,
    event.companion_fen AS companion_fen,
    event.daily_summary AS daily_summary,
    event.ticket_serial AS ticket_serial,
    event.refers_to.1 AS refers_terminal,
    event.refers_to.2 AS refers_epoch,
    event.refers_to.3 AS refers_seq,
    terminal_id,
    epoch,
    event.seq AS seq,
    digest,
    fromUnixTimestamp64Milli(received_at_ms, 'UTC') AS received_at,
    collector_id,
    toUInt16(kafka_partition) AS kafka_partition,
    toUInt64(kafka_offset) AS kafka_offset
FROM
(
    -- Looked at before the events are unfolded: of a record without events nothing would be left to look at.
    SELECT * FROM ${gate}
    WHERE disposition = 1 AND NOT throwIf(
        disposition = 1 AND (
            terminal_id != record_key OR terminal_id = '' OR outlet_id = '' OR collector_id = '' OR epoch = 0
            OR epoch != record_epoch OR NOT isValidUTF8(outlet_id)
            OR received_at_ms <= 0 OR received_at_ms >= ${latest_ms}
            OR empty(events.seq) OR events.seq != range(first_seq, first_seq + event_count)),
        'fucai: a record says something else than its key and header')
)
ARRAY JOIN events AS event
WHERE NOT throwIf(
        event.kind < 1 OR event.kind > 3 OR event.game = '' OR event.amount_fen <= 0 OR event.amount_fen > ${most_fen}
        OR event.companion_fen < 0 OR event.companion_fen > ${most_fen}
        OR event.sold_at_ms <= 0 OR event.sold_at_ms >= ${latest_ms},
        'fucai: a record has an event that no collector lets through');

CREATE MATERIALIZED VIEW ${gate}_to_duplicates TO sales_duplicates AS
SELECT
    terminal_id, epoch, event.seq AS seq, outlet_id, event.sold_at_ms AS sold_at_ms,
    event.kind AS kind, event.game AS game, event.draw_no AS draw_no, event.amount_fen AS amount_fen, event.bets AS bets,
    event.multiplier AS multiplier, event.face_value_fen AS face_value_fen, event.companion_fen AS companion_fen,
    event.ticket_serial AS ticket_serial,
    kafka_topic = 1 AS was_quarantined,
    fromUnixTimestamp64Milli(received_at_ms, 'UTC') AS received_at, collector_id,
    toUInt8(kafka_topic) AS kafka_topic, toUInt16(kafka_partition) AS kafka_partition, toUInt64(kafka_offset) AS kafka_offset
FROM
(
    SELECT * FROM ${gate}
    WHERE disposition = 2 AND NOT throwIf(
        disposition = 2 AND (
            terminal_id != record_key OR epoch != record_epoch OR received_at_ms <= 0 OR received_at_ms >= ${latest_ms}
            OR empty(events.seq) OR events.seq != range(first_seq, first_seq + event_count)),
        'fucai: a record says something else than its key and header')
)
ARRAY JOIN events AS event;

CREATE MATERIALIZED VIEW ${gate}_to_quarantine TO quarantine AS
SELECT
    if(terminal_id = '', record_key, terminal_id) AS terminal_id, epoch, event.seq AS seq,
    transform(finding.reason, ${reason_numbers}, ${reason_names}, 'UNSPECIFIED') AS reason,
    finding.field AS field, finding.detail AS detail, outlet_id, event.sold_at_ms AS sold_at_ms,
    event.kind AS kind, event.game AS game, event.draw_no AS draw_no, event.amount_fen AS amount_fen, event.bets AS bets,
    event.multiplier AS multiplier, event.face_value_fen AS face_value_fen, event.companion_fen AS companion_fen,
    event.daily_summary AS daily_summary, event.ticket_serial AS ticket_serial,
    event.refers_to.1 AS refers_terminal, event.refers_to.2 AS refers_epoch, event.refers_to.3 AS refers_seq,
    '' AS raw_record,
    fromUnixTimestamp64Milli(received_at_ms, 'UTC') AS received_at, collector_id,
    toUInt8(kafka_topic) AS kafka_topic, toUInt16(kafka_partition) AS kafka_partition, toUInt64(kafka_offset) AS kafka_offset
FROM ${gate}
ARRAY JOIN events AS event, arrayResize(findings, length(events.seq)) AS finding
WHERE disposition = 3 AND raw_detail = '';

CREATE MATERIALIZED VIEW ${gate}_to_raw TO quarantine AS
SELECT
    record_key AS terminal_id, record_epoch AS epoch, first_seq AS seq, 'BAD_RECORD' AS reason, '' AS field, raw_detail AS detail, '' AS outlet_id,
    toInt64(0) AS sold_at_ms,
    toInt32(0) AS kind, '' AS game, '' AS draw_no, toInt64(0) AS amount_fen, toUInt32(0) AS bets,
    toUInt32(0) AS multiplier, toInt64(0) AS face_value_fen, toInt64(0) AS companion_fen,
    false AS daily_summary, '' AS ticket_serial, '' AS refers_terminal, toUInt32(0) AS refers_epoch, toUInt64(0) AS refers_seq,
    raw_record,
    fromUnixTimestamp64Milli(received_at_ms, 'UTC') AS received_at, collector_id,
    toUInt8(kafka_topic) AS kafka_topic, toUInt16(kafka_partition) AS kafka_partition, toUInt64(kafka_offset) AS kafka_offset
FROM ${gate}
WHERE disposition = 3 AND raw_detail != '';
