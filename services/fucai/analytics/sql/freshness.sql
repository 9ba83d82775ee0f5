-- How far the store reaches. The inner query has the keys of a projection.
SELECT
    toUnixTimestamp64Milli(max(newest)) AS latest_received_ms,
    min(business_day) AS first_day,
    max(business_day) AS last_day,
    sum(event_count) AS events
FROM (SELECT business_day, max(received_at) AS newest, count() AS event_count FROM visible_sales GROUP BY business_day)
