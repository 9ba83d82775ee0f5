SELECT day AS business_day, $kind, outlet_id, fen$names
FROM
(
    SELECT outlet_id, $day AS day, $sums
    FROM settled_sales
    WHERE $days AND $read
    GROUP BY outlet_id, day
)$split
WHERE fen > 0
UNION ALL
SELECT business_day, kind, outlet_id, $columns
FROM unsettled_sales
WHERE $days AND $read
GROUP BY business_day, kind, outlet_id
