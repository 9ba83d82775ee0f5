SELECT outlet_id, business_day, $from AS from_end, $to AS to_end
FROM
(
    SELECT
        outlet_id, gone,
        arraySort(arrayDistinct(arrayPushFront(arrayFilter(change -> change > opened AND change < gone, changes), opened))) AS starts,
        arrayJoin(arrayZip(starts, arrayPushBack(arrayPopFront(starts), gone))) AS stretch,
        tupleElement(stretch, 1) AS business_day,
        tupleElement(stretch, 2) AS next_day
    FROM ($stays)
)
