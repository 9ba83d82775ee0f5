SELECT
    outlet_id,
    argMax(opened, valid_from) AS opened,
    argMax(ifNull(closed, toDate('2149-06-06')), valid_from) AS gone,
    groupArray(valid_from) AS changes
FROM outlet_history
GROUP BY outlet_id
HAVING opened < gone
