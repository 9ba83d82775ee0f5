-- Of the draw numbers that a filter names, those that are known, by game: sealed now or not, and the recorded end in Unix ms, 0 while none is.
-- A number of which sales are stored and that stands in no table is sealed. Holds no figure.
SELECT
    game, draw_no, drawn_ms,
    sealed_ms <= toUnixTimestamp64Milli(now64(3)) AND (drawn_ms = 0 OR drawn_ms > toUnixTimestamp64Milli(now64(3))) AS sealed
FROM draw_seals
WHERE has({draws:Array(String)}, draw_no)
UNION DISTINCT
SELECT game, draw_no, toInt64(0), toUInt8(1) FROM withheld_draws
WHERE has({draws:Array(String)}, draw_no) AND (game, draw_no) NOT IN (SELECT game, draw_no FROM draw_seals)
