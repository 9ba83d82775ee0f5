SELECT outlet_id, arraySort(groupArrayArray(arrayMap(day -> toInt32(first) - toInt32({first_day:Date}) + day, bitPositionsToArray(sold)))) AS days
FROM
(
    SELECT
        outlet_id, toStartOfMonth(business_day) AS first,
        bitAnd({open_bits:Array(UInt32)}[indexOf({open_months:Array(Date)}, first)],
               groupBitOrIf(bitShiftLeft(toUInt32(1), toDayOfMonth(business_day)), kind = 'SALE' AND (NOT daily_summary OR bets > 0))) AS sold
    FROM settled_months
    WHERE has(arrayMap(day -> toYYYYMM(day), {open_months:Array(Date)}), month) AND $read
    GROUP BY outlet_id, first
    SETTINGS preferred_optimize_projection_name = 'by_outlet_month', optimize_move_to_prewhere = 0
    UNION ALL
    SELECT outlet_id, toStartOfMonth(day) AS first, groupBitOr(bitShiftLeft(toUInt32(1), toDayOfMonth(day))) AS sold
    FROM
    (
        SELECT outlet_id, business_day AS day, countIf(kind = 'SALE' AND NOT daily_summary) AS visit_count, countIf(kind = 'SALE' AND daily_summary AND bets > 0) AS summary_count
        FROM settled_sales
        WHERE month_unsettled AND $days AND $read
        GROUP BY outlet_id, day
        SETTINGS preferred_optimize_projection_name = 'by_outlet', optimize_move_to_prewhere = 0
        UNION ALL
        SELECT outlet_id, business_day AS day, countIf(NOT daily_summary) AS visit_count, countIf(daily_summary AND bets > 0) AS summary_count
        FROM unsettled_sales
        WHERE business_day IN {open_days:Array(Date)} AND kind = 'SALE' AND $read
        GROUP BY outlet_id, day
        SETTINGS preferred_optimize_projection_name = 'by_outlet_draw', optimize_move_to_prewhere = 0
    )
    WHERE visit_count > 0 OR summary_count > 0
    GROUP BY outlet_id, first
)
GROUP BY outlet_id
