-- Active outlets by group: those with enough sales, or a daily summary with bets, on the given open days.
-- An outlet stands where it was at its last sale in the window, so each counts once.
SELECT $groups AS groups, count() AS outlets
FROM
(
    SELECT outlet_id, $keys, last_sale AS business_day
    FROM
    (
        SELECT outlet_id, $keys, maxIf(business_day, visit_count > 0 OR summary_count > 0) AS last_sale
        FROM ($rows)
        WHERE kind = 'SALE' AND $summed
        GROUP BY outlet_id, $keys
        HAVING sum(visit_count) >= {least_sales:UInt32} OR sum(summary_count) > 0
    )
)
GROUP BY groups
ORDER BY groups
LIMIT {rows:UInt32}
