-- The registered outlets that are open on a day, and where they stand then; whether one has a sale in the last hours that count.
-- Attributes are filtered as of {today:Date}.
SELECT outlet_id, name, zone_name, mgmt_area, opened, $lately AS sold_lately
FROM outlet_history
WHERE
    {day:Date} BETWEEN valid_from AND valid_to AND opened <= {day:Date} AND (closed IS NULL OR closed > {day:Date})
    AND $chosen
ORDER BY outlet_id
