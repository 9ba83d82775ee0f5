-- Active outlets at many days in one walk over outlets and days: steps of a running count by group and number of the day.
-- `days` are an outlet's sale days in order, each as often as it has sales, up to the least that makes it active; a daily summary
-- with bets is enough alone. (Where one sale is enough, the days of a month are read as bits.) From each sale on, the sale that many before (`earlier`) says until which window's end there are enough.
-- Runs that follow one another while the outlet stands where it stood ($moved) are made one.
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
            SELECT
                outlet_id,
                arrayMap(run -> tupleElement(run, 3), runs) AS lasts,
                arrayMap(
                    (run, last_before, place) -> tupleElement(run, 2) != last_before + 1 OR $moved,
                    runs, arrayShiftRight(lasts, 1, -1), arrayEnumerate(runs)
                ) AS begins,
                arrayJoin(arrayMap(
                    (run, last) -> (tupleElement(run, 1), tupleElement(run, 2), last),
                    arrayFilter((run, begin) -> begin, runs, begins),
                    arrayFilter((last, next_begin) -> next_begin, lasts, arrayShiftLeft(begins, 1, 1))
                )) AS run
            FROM
            (
                SELECT outlet_id, $runs AS runs$versions
                FROM
                (
                    $days
                ) AS sale_days$history
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
