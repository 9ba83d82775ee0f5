-- Sales, bets and companion spend of two periods side by side, by group and member, in one reading. The inner rows
-- (outlet_days.py) have the keys of a projection of `sales`; the outer query puts each outlet where it was on that day. Payouts change none of them, and
-- a void takes back no companion spend. last_seen: the last day with a sale or void. The periods may overlap.
SELECT
    $groups AS groups,
    $member AS member,
    dictGetOrDefault('outlet_history', 'opened', tuple(member), last_seen, toDate(0)) AS opened,
    sumIf(net_fen, business_day BETWEEN {base_first_day:Date} AND {base_last_day:Date}) AS base_fen,
    sumIf(net_fen, business_day BETWEEN {first_day:Date} AND {last_day:Date}) AS value_fen,
    sumIf(net_bets, business_day BETWEEN {base_first_day:Date} AND {base_last_day:Date}) AS base_bets,
    sumIf(net_bets, business_day BETWEEN {first_day:Date} AND {last_day:Date}) AS value_bets,
    sumIf(companion, business_day BETWEEN {base_first_day:Date} AND {base_last_day:Date}) AS base_companion_fen,
    sumIf(companion, business_day BETWEEN {first_day:Date} AND {last_day:Date}) AS value_companion_fen,
    max(business_day) AS last_seen
FROM
(
    SELECT
        *,
        if(kind = 'VOID', -1, 1) * fen AS net_fen,
        if(kind = 'VOID', -1, 1) * toInt64(bet_count) AS net_bets,
        if(kind = 'VOID', 0, 1) * companion_sum AS companion
    FROM ($rows)
    WHERE kind IN ('SALE', 'VOID')
)
WHERE $summed
GROUP BY groups, member
LIMIT {rows:UInt32}
