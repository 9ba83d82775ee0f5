-- Names of the zones.
SELECT zone_id, name FROM zones
