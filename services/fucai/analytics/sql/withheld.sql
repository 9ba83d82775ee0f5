-- The draws that stand in no answer now, the last sealed first, and how many they are in all. Those in no table come last.
SELECT
    withheld.game AS game, withheld.draw_no AS draw_no, withheld.sealed_ms AS sealed_ms,
    times.sales_close_ms AS sales_close_ms, times.drawn_ms AS drawn_ms, count() OVER () AS draws
FROM withheld_draws AS withheld
LEFT JOIN draw_seals AS times ON times.game = withheld.game AND times.draw_no = withheld.draw_no
ORDER BY sealed_ms DESC, game, draw_no
LIMIT {rows:UInt32}
