-- What stands in quarantine now, by the ledger's rule: numbers of events that are neither stored nor waived, each once
-- however many records brought it; and records kept as raw bytes that are not waived, each once.
WITH
    bad AS
    (
        SELECT DISTINCT terminal_id, epoch, seq, reason = 'BAD_RECORD' AS is_raw,
            if(is_raw, (kafka_topic, kafka_partition, kafka_offset), (0, 0, 0)) AS record
        FROM quarantine
    ),
    spans AS
    (
        SELECT terminal_id, epoch, groupArray((first_seq, last_seq)) AS waived FROM waivers GROUP BY terminal_id, epoch
    ),
    stored AS
    (
        SELECT terminal_id, epoch, seq FROM sales
        WHERE terminal_id IN (SELECT terminal_id FROM bad WHERE NOT is_raw)
            AND (terminal_id, epoch, seq) IN (SELECT terminal_id, epoch, seq FROM bad WHERE NOT is_raw)
    )
SELECT count() AS entries
FROM bad
LEFT JOIN spans USING (terminal_id, epoch)
WHERE NOT arrayExists(span -> seq BETWEEN span.1 AND span.2, waived)
    AND (is_raw OR (terminal_id, epoch, seq) NOT IN stored)
