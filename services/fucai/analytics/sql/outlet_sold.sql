-- What one outlet sold, by game, in a period, in its base and on watched days (`side`), which may overlap: the named sums, net sales by day of the
-- period and the watched days, bets by watched day, and when it last sold; a daily summary with bets counts, at its own time.
-- Its events lie together in the table, so no projection is looked at. Names with a dollar sign stand for fixed texts of texts.py and sums.py.
SELECT
    arrayJoin(arrayFilter(
        side -> multiIf(side = '$period', $now, side = '$base', $before, $watched_days), ['$period', '$base', '$watched']
    )) AS side,
    toString(game) AS code,
    $sums,
    sumMapIf([business_day], [$sales], side != '$base') AS sales_by_day,
    sumMapIf([business_day], [$sold], side = '$watched') AS bets_by_day,
    toUnixTimestamp64Milli(max(last_sale)) AS last_sale_ms
FROM
(
    SELECT
        business_day, kind, game, outlet_id, $columns,
        maxIf(sold_at, kind = 'SALE' AND (NOT daily_summary OR bets > 0)) AS last_sale
    FROM outlet_sales(outlet_id = {outlet_id:String})
    WHERE ($days OR $watched_days) AND $read
    GROUP BY business_day, kind, game, outlet_id
)
WHERE $summed
GROUP BY side, code
ORDER BY side, code
SETTINGS optimize_use_projections = 0, optimize_move_to_prewhere = 0, max_threads = 1
