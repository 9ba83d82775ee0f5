-- What one outlet sold, by game, in a period and (of_base) in its base, which may overlap: the named sums, net sales by day of the period,
-- and when it last sold; a daily summary with bets counts, at its own time. Its events lie together in the table, so no projection is looked at.
-- Names with a dollar sign stand for fixed texts of texts.py and sums.py.
SELECT
    arrayJoin(arrayFilter(side -> if(side, $before, $now), [false, true])) AS of_base,
    toString(game) AS code,
    $sums,
    sumMapIf([business_day], [$sales], NOT of_base) AS by_day,
    toUnixTimestamp64Milli(max(last_sale)) AS last_sale_ms
FROM
(
    SELECT
        business_day, kind, game, outlet_id, $columns,
        maxIf(sold_at, kind = 'SALE' AND (NOT daily_summary OR bets > 0)) AS last_sale
    FROM visible_sales
    WHERE $days AND $read
    GROUP BY business_day, kind, game, outlet_id
)
WHERE $summed
GROUP BY of_base, code
ORDER BY of_base, code
SETTINGS optimize_use_projections = 0, optimize_move_to_prewhere = 0, max_threads = 1
