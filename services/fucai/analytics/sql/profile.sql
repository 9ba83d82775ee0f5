-- Sales, bets, events and payouts by group, weekday and hour; daily summaries have no hour and stand under 24. The inner query has the
-- keys of the projection by hour, unless outlets are asked about. Names with a dollar sign stand for fixed texts of texts.py and sums.py.
SELECT
    $groups AS groups,
    toDayOfWeek(business_day) AS weekday,
    if(daily_summary, 24, sold_hour) AS hour,
    sum($sales) AS sales_fen,
    sum($bets) AS net_bets,
    sum(event_count) AS events,
    sum($payouts) AS payouts_fen
FROM
(
    SELECT business_day, sold_hour, daily_summary, kind, $keys, $columns
    FROM visible_sales
    WHERE business_day BETWEEN {first_day:Date} AND {last_day:Date} AND $read
    GROUP BY business_day, sold_hour, daily_summary, kind, $keys
)
WHERE $summed
GROUP BY groups, weekday, hour
ORDER BY groups, weekday, hour
LIMIT {rows:UInt32}
