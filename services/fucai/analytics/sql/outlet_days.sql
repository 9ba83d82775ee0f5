SELECT day AS business_day, $kind, outlet_id, fen$names
FROM
(
    $settled
)$split
WHERE fen > 0
UNION ALL
SELECT business_day, kind, outlet_id, $columns
FROM unsettled_sales
WHERE $days AND $read
GROUP BY business_day, kind, outlet_id
SETTINGS preferred_optimize_projection_name = 'by_outlet_draw', optimize_move_to_prewhere = 0
