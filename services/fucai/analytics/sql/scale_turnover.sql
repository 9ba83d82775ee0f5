-- Outlets that opened and that closed from one day to another, by group and day; each stands where it was on its first or last day.
SELECT $groups AS groups, tupleElement(turn, 1) AS day, sum(tupleElement(turn, 2)) AS opened_outlets, sum(tupleElement(turn, 3)) AS closed_outlets
FROM
(
    SELECT
        outlet_id,
        arrayJoin([(opened, 1, 0), (gone, 0, 1)]) AS turn,
        if(tupleElement(turn, 2) = 1, opened, gone - 1) AS business_day
    FROM ($stays)
)
WHERE day BETWEEN {first_day:Date} AND {last_day:Date} AND $read AND $summed
GROUP BY groups, day
ORDER BY groups, day
LIMIT {rows:UInt32}
