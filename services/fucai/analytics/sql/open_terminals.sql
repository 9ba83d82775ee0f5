-- The terminals bound to an outlet on a day, but for those that bring history, and whether each has a sale in a window of days.
SELECT
    outlet_id, terminal_id,
    terminal_id IN (
        SELECT terminal_id FROM visible_sales
        WHERE business_day IN {window:Array(Date)} AND kind = 'SALE' AND NOT daily_summary AND $read
        GROUP BY terminal_id
    ) AS active
FROM terminals
WHERE {day:Date} BETWEEN valid_from AND valid_to AND outlet_id != '' AND kind != {import_kind:String}
ORDER BY terminal_id
