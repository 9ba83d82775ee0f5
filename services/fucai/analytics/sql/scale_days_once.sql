SELECT outlet_id, arraySort(groupArrayArray(arrayMap(day -> toInt32(month) - toInt32({first_day:Date}) + day, bitPositionsToArray(sold)))) AS days
FROM
(
    SELECT
        outlet_id, toStartOfMonth(business_day) AS month,
        bitAnd({open_bits:Array(UInt32)}[indexOf({open_months:Array(Date)}, month)],
               groupBitOrIf(bitShiftLeft(toUInt32(1), toDayOfMonth(business_day)), kind = 'SALE' AND (NOT daily_summary OR bets > 0))) AS sold
    FROM settled_months
    WHERE month IN {open_months:Array(Date)} AND $read
    GROUP BY outlet_id, month
    UNION ALL
    SELECT outlet_id, toStartOfMonth(day) AS month, groupBitOr(bitShiftLeft(toUInt32(1), toDayOfMonth(day))) AS sold
    FROM
    (
        SELECT outlet_id, business_day AS day, countIf(kind = 'SALE' AND NOT daily_summary) AS visit_count, countIf(kind = 'SALE' AND daily_summary AND bets > 0) AS summary_count
        FROM settled_sales
        WHERE month_unsettled AND business_day IN {open_days:Array(Date)} AND $read
        GROUP BY outlet_id, day
        UNION ALL
        SELECT outlet_id, business_day AS day, countIf(NOT daily_summary) AS visit_count, countIf(daily_summary AND bets > 0) AS summary_count
        FROM unsettled_sales
        WHERE business_day IN {open_days:Array(Date)} AND kind = 'SALE' AND $read
        GROUP BY outlet_id, day
    )
    WHERE visit_count > 0 OR summary_count > 0
    GROUP BY outlet_id, month
)
GROUP BY outlet_id
