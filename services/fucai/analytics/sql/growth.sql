-- Sums of a period and its base by group, and the outlets that sold in each and in both. The innermost rows
-- (outlet_days.py) have the keys of a projection; the next query puts each outlet where it was on that day and sums it over each period.
-- Names with a dollar sign stand for fixed texts; what was asked comes as query parameters.
SELECT
    groups,
    $sums,
    countIf(sells) AS outlets,
    countIf(base_sells) AS base_outlets,
    countIf(same) AS same_outlets,
    sumIf(now_sales, same) AS same_sales,
    sumIf(before_sales, same) AS base_same_sales
FROM
(
    SELECT
        $groups AS groups, outlet_id,
        $terms,
        sumIf($sold, $now) > 0 AS sells,
        sumIf($sold, $before) > 0 AS base_sells,
        sells AND base_sells AND $eligible AS same
    FROM
    (
        $rows
    )
    WHERE $summed AND $kept
    GROUP BY groups, outlet_id
)
GROUP BY groups
ORDER BY groups
LIMIT {rows:UInt32}
