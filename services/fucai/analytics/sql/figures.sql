-- Sales, bets, events, payouts and further sums by bucket and group. The inner query has the keys of a projection of `sales`,
-- which the view keeps, so it reads sums by day or by hour instead of events; the outer one puts each outlet where it was on that day.
-- Names with a dollar sign stand for fixed texts of texts.py and sums.py; what was asked comes as query parameters.
SELECT
    $bucket AS bucket,
    $hour AS hour,
    $groups AS groups,
    sumIf(fen, kind = 'SALE') - sumIf(fen, kind = 'VOID') AS sales_fen,
    toInt64(sumIf(bet_count, kind = 'SALE')) - toInt64(sumIf(bet_count, kind = 'VOID')) AS net_bets,
    sum(event_count) AS events,
    sumIf(fen, kind = 'PAYOUT') AS payouts_fen$further
FROM
(
    SELECT business_day, kind, $keys, $columns
    FROM visible_sales
    WHERE business_day BETWEEN {first_day:Date} AND {last_day:Date} AND $kept AND $read
    GROUP BY business_day, kind, $keys
)
WHERE $counterpart AND $summed
GROUP BY bucket, hour, groups
ORDER BY bucket, hour, groups
LIMIT {rows:UInt32}
