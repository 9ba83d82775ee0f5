-- How far the store reaches; the draws that stand in no answer now, the last sealed first, and how many they are in all.
-- turns: as turned.sql, before anything else is read. revision: a number that changes with every import; until then all texts of the
-- registry answer the same.
WITH (SELECT countIf(sealed_ms <= toUnixTimestamp64Milli(now64(3))) + countIf(ended_ms <= toUnixTimestamp64Milli(now64(3))) FROM dictionary('draw_times')) AS turns
SELECT
    latest_received_ms, first_day, last_day, events,
    arraySlice(withheld_draws, 1, {named:UInt32}) AS draws, length(withheld_draws) AS count, next_seal_ms, withheld_days,
    (SELECT count() + max(import_id) FROM imports) AS revision, turns
FROM store_reach
SETTINGS max_threads = 1, preferred_optimize_projection_name = 'by_draw'
