-- Terminals with a sale in the window, while bound to an installed outlet: steps of a running count, as in scale_active.sql.
WITH {next_ends:Array(UInt32)} AS next_ends, {last_ends:Array(UInt32)} AS last_ends, toUInt32(1) AS least_sales
SELECT groups, tupleElement(step, 1) AS place, sum(tupleElement(step, 2)) AS active
FROM
(
    SELECT
        $groups AS groups,
        greatest(from_end, toInt64(tupleElement(run, 2))) AS both_from,
        least(to_end, toInt64(tupleElement(run, 3))) AS both_to,
        arrayJoin([(both_from, 1), (both_to + 1, -1)]) AS step
    FROM ($stretches) AS bound
    INNER JOIN
    (
        SELECT terminal_id, arrayJoin($runs) AS run
        FROM
        (
            SELECT terminal_id, arraySort(groupArray(toInt32(business_day) - toInt32({first_day:Date}) + 1)) AS days
            FROM
            (
                SELECT terminal_id, business_day, daily_summary, count() AS event_count, sum(bets) AS bet_count
                FROM visible_sales
                WHERE business_day IN {open_days:Array(Date)} AND kind = 'SALE' AND $sold
                GROUP BY terminal_id, business_day, daily_summary
            )
            WHERE NOT daily_summary OR bet_count > 0
            GROUP BY terminal_id
        )
    ) AS sold USING (terminal_id)
    WHERE $read AND $summed AND both_from <= both_to
)
GROUP BY groups, place
HAVING active != 0
ORDER BY groups, place
LIMIT {rows:UInt32}
