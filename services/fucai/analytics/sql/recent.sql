-- The newest events of the last two days, newest first.
SELECT
    toUnixTimestamp64Milli(sold_at) AS sold_at_ms,
    outlet_id,
    dictGetOrDefault('outlet_history', 'name', tuple(outlet_id), business_day, '') AS outlet_name,
    dictGetOrDefault('outlet_history', 'zone_name', tuple(outlet_id), business_day, '') AS zone_name,
    game,
    lower(toString(kind)) AS kind_name,
    amount_fen,
    bets
FROM visible_sales
WHERE business_day BETWEEN {last_day:Date} - 1 AND {last_day:Date}
ORDER BY sold_at DESC, terminal_id, epoch, seq DESC
LIMIT {rows:UInt32}
