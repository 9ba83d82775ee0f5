-- What the open outlets without a late sale sold by day and hour; hour 24 is a daily summary, which has none. Rows only with a sale.
-- Reads the events, since no projection has outlets by hour: of an outlet that sold in the last two days only the weekdays that it is
-- judged by. counted: games that make the pattern; drawless: those of them without draws.
WITH
    if(kind = 'VOID', -amount_fen, amount_fen) AS fen,
    NOT daily_summary AND NOT has({left_out:Array(String)}, game) AS counted,
    counted AND has({drawless:Array(String)}, game) AS without_draws
SELECT
    outlet_id, business_day, if(daily_summary, 24, sold_hour) AS hour,
    countIf(kind = 'SALE' AND counted) > 0 AS has_counted,
    sumIf(fen, counted) AS counted_fen,
    countIf(kind = 'SALE' AND without_draws) > 0 AS has_drawless,
    sumIf(fen, without_draws) AS drawless_fen,
    maxIf(toUnixTimestamp64Milli(sold_at), kind = 'SALE' AND NOT daily_summary) AS last_sale_ms
FROM visible_sales
WHERE
    business_day BETWEEN {first_day:Date} AND {day:Date} AND sold_at < fromUnixTimestamp64Milli({at_ms:Int64})
    AND kind IN ('SALE', 'VOID') AND $read
    AND outlet_id IN (SELECT outlet_id FROM ($outlets) WHERE NOT sold_lately)
    AND (
        has({weekdays:Array(UInt8)}, toDayOfWeek(business_day))
        OR outlet_id NOT IN (
            SELECT outlet_id FROM visible_sales
            WHERE business_day BETWEEN {recent_day:Date} AND {day:Date} AND kind = 'SALE' AND NOT daily_summary
                AND sold_at < fromUnixTimestamp64Milli({at_ms:Int64}) AND $read
            GROUP BY outlet_id
        )
    )
GROUP BY outlet_id, business_day, hour
HAVING countIf(kind = 'SALE' AND (NOT daily_summary OR bets > 0)) > 0
LIMIT {rows:UInt32}
