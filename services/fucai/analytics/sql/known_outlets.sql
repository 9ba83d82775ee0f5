-- The outlets that the registry or the store knows.
SELECT outlet_id FROM outlets
UNION DISTINCT
SELECT toString(outlet_id) FROM (SELECT business_day, outlet_id, count() FROM visible_sales GROUP BY business_day, outlet_id)
