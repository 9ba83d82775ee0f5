-- Sales by outlet on given days, without the games left out; whether an outlet sold anything (or had a daily summary with bets), and
-- whether of the games that count. The inner query has the keys of a projection.
SELECT
    outlet_id, business_day,
    sumIf(if(kind = 'VOID', -fen, fen), NOT has({left_out:Array(String)}, game)) AS sales_fen,
    sumIf(bet_count, kind = 'SALE') > 0 AS sold,
    sumIf(bet_count, kind = 'SALE' AND NOT has({left_out:Array(String)}, game)) > 0 AS sold_counted
FROM
(
    SELECT business_day, outlet_id, game, kind, sum(amount_fen) AS fen, sum(bets) AS bet_count
    FROM visible_sales
    WHERE business_day IN {days:Array(Date)} AND kind IN ('SALE', 'VOID') AND $read
    GROUP BY business_day, outlet_id, game, kind
)
GROUP BY outlet_id, business_day
LIMIT {rows:UInt32}$settings
