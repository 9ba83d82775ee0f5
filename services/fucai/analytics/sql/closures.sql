-- Market closures, whatever their scope: on none of their days is the whole market open.
SELECT first_day, last_day FROM closures ORDER BY first_day
