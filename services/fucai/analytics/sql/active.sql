-- Active outlets by group, of two windows in one reading: those with enough sales, or a daily summary with bets, on the open days of each.
-- An outlet stands where it was at its last sale in the window, so each counts once in it.
SELECT $groups AS groups, countIf(NOT of_base) AS outlets, countIf(of_base) AS base_outlets
FROM
(
    SELECT
        outlet_id, $keys,
        arrayJoin(arrayFilter(
            one -> tupleElement(one, 3),
            [(last_sale, false, sales >= {least_sales:UInt32} OR summaries > 0), (base_last_sale, true, base_sales >= {least_sales:UInt32} OR base_summaries > 0)]
        )) AS active,
        tupleElement(active, 1) AS business_day,
        tupleElement(active, 2) AS of_base
    FROM
    (
        SELECT
            outlet_id, $keys,
            maxIf(business_day, sells AND has({open_days:Array(Date)}, business_day)) AS last_sale,
            sumIf(visit_count, has({open_days:Array(Date)}, business_day)) AS sales,
            sumIf(summary_count, has({open_days:Array(Date)}, business_day)) AS summaries,
            maxIf(business_day, sells AND has({base_open_days:Array(Date)}, business_day)) AS base_last_sale,
            sumIf(visit_count, has({base_open_days:Array(Date)}, business_day)) AS base_sales,
            sumIf(summary_count, has({base_open_days:Array(Date)}, business_day)) AS base_summaries
        FROM
        (
            SELECT *, visit_count > 0 OR summary_count > 0 AS sells
            FROM ($rows)
            WHERE kind = 'SALE' AND $summed
        )
        GROUP BY outlet_id, $keys
    )
)
GROUP BY groups
ORDER BY groups
LIMIT {rows:UInt32}
