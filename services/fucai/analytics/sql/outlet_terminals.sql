-- The terminals bound to an outlet on a day.
SELECT terminal_id FROM terminals WHERE outlet_id = {outlet_id:String} AND {today:Date} BETWEEN valid_from AND valid_to ORDER BY terminal_id
