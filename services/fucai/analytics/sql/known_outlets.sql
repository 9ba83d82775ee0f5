-- The outlets that the registry or the store knows. The inner queries have the keys of projections.
SELECT outlet_id FROM outlets
UNION DISTINCT
SELECT toString(outlet_id) FROM (SELECT outlet_id, countIf(kind = 'SALE') FROM settled_sales GROUP BY outlet_id)
UNION DISTINCT
SELECT toString(outlet_id) FROM (SELECT business_day, outlet_id, count() FROM unsettled_sales GROUP BY business_day, outlet_id)
