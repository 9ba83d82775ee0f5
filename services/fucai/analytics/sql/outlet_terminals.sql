-- The terminals bound to an outlet on a day, but for the ones that bring history files in.
SELECT terminal_id
FROM terminals
WHERE outlet_id = {outlet_id:String} AND {today:Date} BETWEEN valid_from AND valid_to AND kind != {import_kind:String}
ORDER BY terminal_id
