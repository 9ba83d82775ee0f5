-- The newest names of the outlets.
SELECT outlet_id, argMax(name, valid_from) FROM outlets GROUP BY outlet_id
