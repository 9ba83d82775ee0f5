-- The outlets with a sale between two moments.
SELECT outlet_id
FROM visible_sales
WHERE
    business_day BETWEEN {lately_day:Date} AND {day:Date} AND kind = 'SALE' AND NOT daily_summary
    AND sold_at >= fromUnixTimestamp64Milli({lately_ms:Int64}) AND sold_at < fromUnixTimestamp64Milli({at_ms:Int64})
    AND $read
GROUP BY outlet_id
