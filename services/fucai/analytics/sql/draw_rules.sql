-- When each game is drawn, by version of its rules, and the time zone of that; and when the next draw is sealed, 0 for none.
SELECT
    game, valid_from, draw_time,
    (SELECT any(value) FROM store_settings WHERE name = 'timezone') AS timezone,
    (SELECT min(sealed_ms) FROM draw_seals WHERE sealed_ms > toUnixTimestamp64Milli(now64(3))) AS next_seal_ms
FROM games
WHERE has_draws
ORDER BY game, valid_from
