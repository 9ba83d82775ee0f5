-- Entries in quarantine; a record inserted again after a crash counts once.
SELECT uniqExact(kafka_topic, kafka_partition, kafka_offset, seq) AS entries FROM quarantine
