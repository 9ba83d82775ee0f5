-- Active outlets by group: those with enough sales, or a daily summary with bets, on the given open days.
-- An outlet stands where it was at its last sale in the window, so each counts once.
SELECT $groups AS groups, count() AS outlets
FROM
(
    SELECT outlet_id, $keys, last_sale AS business_day
    FROM
    (
        SELECT outlet_id, $keys, maxIf(business_day, NOT daily_summary OR bets > 0) AS last_sale
        FROM visible_sales
        WHERE business_day IN {open_days:Array(Date)} AND kind = 'SALE' AND $read AND $summed
        GROUP BY outlet_id, $keys
        HAVING countIf(NOT daily_summary) >= {least_sales:UInt32} OR countIf(daily_summary AND bets > 0) > 0
    )
)
GROUP BY groups
ORDER BY groups
LIMIT {rows:UInt32}
