-- The last hour of a day that has events of its own. The inner query has the keys of a projection.
SELECT max(sold_hour) AS last_hour
FROM (SELECT sold_hour, count() FROM visible_sales WHERE business_day = {day:Date} AND NOT daily_summary GROUP BY sold_hour)
