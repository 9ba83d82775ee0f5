-- Sales, bets, events, payouts and further sums by bucket and group. The inner rows (outlet_days.py) have the keys of a projection of
-- `sales`, so sums by day or by hour are read instead of events; the outer query puts each outlet where it was on that day.
-- Where no outlet is asked about there are a few thousand rows a year, which one thread sums sooner than two agree on them.
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
    $rows
)
WHERE $counterpart AND $summed
GROUP BY bucket, hour, groups
ORDER BY bucket, hour, groups
LIMIT {rows:UInt32}$settings
