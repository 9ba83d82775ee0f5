SELECT outlet_id, business_day AS day, $sums
    FROM settled_sales
    WHERE $days AND $read
    GROUP BY outlet_id, day
    SETTINGS preferred_optimize_projection_name = 'by_outlet', optimize_move_to_prewhere = 0
