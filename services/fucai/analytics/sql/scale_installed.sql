-- Installed outlets, or terminals bound to them, at many days: steps of a running count by group and number of the day.
WITH {next_ends:Array(UInt32)} AS next_ends
SELECT groups, tupleElement(step, 1) AS place, sum(tupleElement(step, 2)) AS installed
FROM
(
    SELECT $groups AS groups, arrayJoin([(from_end, 1), (to_end + 1, -1)]) AS step
    FROM ($stretches)
    WHERE $read AND $summed AND from_end <= to_end
)
GROUP BY groups, place
HAVING installed != 0
ORDER BY groups, place
LIMIT {rows:UInt32}
