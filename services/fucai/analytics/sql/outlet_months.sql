SELECT outlet_id, toStartOfMonth(business_day) AS day, $sums
    FROM settled_months
    WHERE has(arrayMap(first -> toYYYYMM(first), {whole_months:Array(Date)}), month) AND if($turning, false, true) AND $read
    GROUP BY outlet_id, day
    SETTINGS preferred_optimize_projection_name = 'by_outlet_month', optimize_move_to_prewhere = 0
    UNION ALL
    SELECT outlet_id, business_day AS day, $sums
    FROM settled_sales
    WHERE
        $days AND $read
        AND (NOT has(arrayMap(first -> toYYYYMM(first), {whole_months:Array(Date)}), month) OR month_unsettled)
    GROUP BY outlet_id, day
    SETTINGS preferred_optimize_projection_name = 'by_outlet', optimize_move_to_prewhere = 0
    UNION ALL
    SELECT outlet_id, business_day AS day, $sums
    FROM settled_sales
    WHERE $turning AND $read AND NOT month_unsettled
    GROUP BY outlet_id, day
    SETTINGS preferred_optimize_projection_name = 'by_outlet', optimize_move_to_prewhere = 0
