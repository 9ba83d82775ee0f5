-- When each game is drawn, by version of its rules, and the time zone of that.
SELECT game, valid_from, draw_time, (SELECT any(value) FROM store_settings WHERE name = 'timezone') AS timezone
FROM games
WHERE has_draws
ORDER BY game, valid_from
