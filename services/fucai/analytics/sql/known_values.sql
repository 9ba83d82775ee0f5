-- What the registry or the store knows to filter by: the values of each dimension, without those that no outlet has.
SELECT 'game' AS dimension, toString(game) AS value FROM games
UNION DISTINCT
SELECT 'game', toString(game) FROM (SELECT business_day, game, count() FROM visible_sales GROUP BY business_day, game)
UNION DISTINCT
SELECT pair.1, pair.2
FROM
(
    SELECT arrayJoin([
        ('zone', zone_id), ('zone_type', zone_type), ('district', district_code),
        ('mgmt_area', mgmt_area), ('format', format), ('channel_class', channel_class)
    ]) AS pair
    FROM outlet_places
)
UNION DISTINCT
SELECT pair.1, pair.2
FROM
(
    SELECT arrayJoin([('zone', zone_id), ('zone_type', toString(zone_type)), ('district', toString(district_code))]) AS pair
    FROM zones
)
