-- Active outlets at many days in one walk over outlets and days: steps of a running count by group and number of the day.
-- `days` are an outlet's sale days in order, each as often as it has sales, up to the least that makes it active; a daily summary
-- with bets is enough alone. From each sale on, the sale that many before (`earlier`) says until which window's end there are enough.
-- Days and ends are numbers, see `domain/windows.py`. An outlet stands where it was at its last sale in the window.
WITH {next_ends:Array(UInt32)} AS next_ends, {last_ends:Array(UInt32)} AS last_ends, {least_sales:UInt32} AS least_sales
SELECT groups, tupleElement(step, 1) AS place, sum(tupleElement(step, 2)) AS active, sum(tupleElement(step, 3)) AS installed
FROM
(
    SELECT
        $groups AS groups,
        greatest(from_end, stay_from) AS both_from,
        least(to_end, stay_to) AS both_to,
        arrayJoin(multiIf(
            both_from = from_end AND both_to = to_end, [(from_end, 1, 1), (to_end + 1, -1, -1)],
            both_from > both_to, [(from_end, 1, 0), (to_end + 1, -1, 0)],
            [(from_end, 1, 0), (to_end + 1, -1, 0), (both_from, 0, 1), (both_to + 1, 0, -1)]
        )) AS step
    FROM
    (
        SELECT
            outlet_id, stay_from, stay_to,
            {first_day:Date} + tupleElement(run, 1) - 1 AS business_day,
            tupleElement(run, 2) AS from_end,
            tupleElement(run, 3) AS to_end
        FROM
        (
            SELECT outlet_id, arrayJoin($runs) AS run
            FROM
            (
                SELECT
                    outlet_id,
                    arraySort(groupArrayArray(arrayWithConstant(
                        if(daily_summary, if(bet_count > 0, least_sales, 0), least(event_count, least_sales)),
                        toInt32(business_day) - toInt32({first_day:Date}) + 1
                    ))) AS days
                FROM
                (
                    SELECT outlet_id, business_day, daily_summary, count() AS event_count, sum(bets) AS bet_count
                    FROM visible_sales
                    WHERE business_day IN {open_days:Array(Date)} AND kind = 'SALE' AND $read
                    GROUP BY outlet_id, business_day, daily_summary
                )
                GROUP BY outlet_id
            )
        ) AS sold
        LEFT ANY JOIN
        (
            SELECT outlet_id, $stay_from AS stay_from, $stay_to AS stay_to
            FROM ($stays)
        ) AS stays USING (outlet_id)
    )
    WHERE $summed
)
GROUP BY groups, place
HAVING active != 0 OR installed != 0
ORDER BY groups, place
LIMIT {rows:UInt32}
