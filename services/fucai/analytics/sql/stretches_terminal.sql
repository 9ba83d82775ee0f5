SELECT terminal_id, outlet_id, business_day, $from AS from_end, $to AS to_end
FROM
(
    SELECT
        terminal_id, outlet_id,
        greatest(opened, valid_from) AS begins,
        if(valid_to < gone, valid_to + 1, gone) AS ends,
        arraySort(arrayDistinct(arrayPushFront(arrayFilter(change -> change > begins AND change < ends, changes), begins))) AS starts,
        arrayJoin(arrayZip(starts, arrayPushBack(arrayPopFront(starts), ends))) AS stretch,
        tupleElement(stretch, 1) AS business_day,
        tupleElement(stretch, 2) AS next_day
    FROM (SELECT * FROM terminals WHERE kind != {import_kind:String}) AS terminals
    INNER JOIN ($stays) AS stays USING (outlet_id)
    WHERE greatest(opened, valid_from) < if(valid_to < gone, valid_to + 1, gone)
)
