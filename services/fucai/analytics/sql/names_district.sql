-- Names of the districts.
SELECT district_code, any(district) FROM zones GROUP BY district_code
