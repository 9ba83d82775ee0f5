-- When an outlet last sold on a day or later; 0 without any sale. A daily summary with bets counts, at its own time. Names with a dollar sign stand for fixed texts.
SELECT if(count() = 0, 0, toUnixTimestamp64Milli(max(sold_at))) AS last_sale_ms
FROM visible_sales
WHERE
    outlet_id = {outlet_id:String} AND business_day >= {since:Date} AND kind = 'SALE' AND (NOT daily_summary OR bets > 0)
    AND $read AND $summed
