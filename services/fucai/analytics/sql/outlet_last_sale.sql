-- When an outlet last sold; no row without any sale. A daily summary with bets counts, at its own time. Read from the end in the table's own
-- order, so that a few rows are read however long the outlet has sold. Names with a dollar sign stand for fixed texts.
SELECT toUnixTimestamp64Milli(sold_at) AS last_sale_ms
FROM visible_sales
WHERE outlet_id = {outlet_id:String} AND kind = 'SALE' AND (NOT daily_summary OR bets > 0) AND $read AND $summed
ORDER BY outlet_id DESC, business_day DESC, sold_at DESC
LIMIT 1
