-- Sums of a period and its base by group, and the outlets that sold in each and in both. The innermost query has the
-- keys of a projection; the next puts each outlet where it was on that day and sums it over each period.
-- Names with a dollar sign stand for fixed texts; what was asked comes as query parameters.
SELECT
    groups,
    $sums,
    countIf(sells) AS outlets,
    countIf(base_sells) AS base_outlets,
    countIf(sells AND base_sells) AS same_outlets,
    sumIf(now_sales, sells AND base_sells) AS same_sales,
    sumIf(before_sales, sells AND base_sells) AS base_same_sales
FROM
(
    SELECT
        $groups AS groups, outlet_id,
        $terms,
        sumIf($sold, $now) > 0 AS sells,
        sumIf($sold, $before) > 0 AS base_sells
    FROM
    (
        SELECT business_day, kind, outlet_id, $keys, $columns
        FROM visible_sales
        WHERE ($now OR $before) AND $read
        GROUP BY business_day, kind, outlet_id, $keys
    )
    WHERE $summed AND $kept
    GROUP BY groups, outlet_id
)
GROUP BY groups
ORDER BY groups
LIMIT {rows:UInt32}
