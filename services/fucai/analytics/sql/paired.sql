-- Sales, bets and companion spend of two periods side by side, by group and member, in one reading. The inner query has the
-- keys of a projection of `sales`; the outer one puts each outlet where it was on that day. Payouts change none of them, and
-- a void takes back no companion spend. last_seen: the last day with a sale or void. The periods may overlap.
SELECT
    $groups AS groups,
    $member AS member,
    dictGetOrDefault('outlet_history', 'opened', tuple(member), last_seen, toDate(0)) AS opened,
    sumIf(fen, business_day BETWEEN {base_first_day:Date} AND {base_last_day:Date}) AS base_fen,
    sumIf(fen, business_day BETWEEN {first_day:Date} AND {last_day:Date}) AS value_fen,
    sumIf(net_bets, business_day BETWEEN {base_first_day:Date} AND {base_last_day:Date}) AS base_bets,
    sumIf(net_bets, business_day BETWEEN {first_day:Date} AND {last_day:Date}) AS value_bets,
    sumIf(companion, business_day BETWEEN {base_first_day:Date} AND {base_last_day:Date}) AS base_companion_fen,
    sumIf(companion, business_day BETWEEN {first_day:Date} AND {last_day:Date}) AS value_companion_fen,
    max(business_day) AS last_seen
FROM
(
    SELECT
        business_day, kind, $keys,
        if(kind = 'VOID', -1, 1) * sum(amount_fen) AS fen,
        if(kind = 'VOID', -1, 1) * toInt64(sum(bets)) AS net_bets,
        if(kind = 'VOID', 0, 1) * sum(companion_fen) AS companion
    FROM visible_sales
    WHERE
        (business_day BETWEEN {first_day:Date} AND {last_day:Date}
            OR business_day BETWEEN {base_first_day:Date} AND {base_last_day:Date})
        AND kind IN ('SALE', 'VOID') AND $read
    GROUP BY business_day, kind, $keys
)
WHERE $summed
GROUP BY groups, member
LIMIT {rows:UInt32}
