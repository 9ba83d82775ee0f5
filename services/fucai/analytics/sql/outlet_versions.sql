-- An outlet's attributes with their first and last day, newest first; the last version ends with the calendar of type Date.
SELECT
    valid_from, if(valid_to = toDate('2149-06-06'), NULL, valid_to) AS until, name, zone_id, zone_name, zone_type,
    district, mgmt_area, format, channel_class, opened, closed
FROM outlet_history
WHERE outlet_id = {outlet_id:String}
ORDER BY valid_from DESC
