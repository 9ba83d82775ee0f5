SELECT outlet_id, toStartOfMonth(business_day) AS day, $sums
    FROM settled_months
    WHERE day IN {whole_months:Array(Date)} AND if($turning, false, true) AND $read
    GROUP BY outlet_id, day
    UNION ALL
    SELECT outlet_id, business_day AS day, $sums
    FROM settled_sales
    WHERE $days AND (toStartOfMonth(business_day) NOT IN {whole_months:Array(Date)} OR month_unsettled OR $turning) AND $read
    GROUP BY outlet_id, day
