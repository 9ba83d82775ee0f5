-- How far the store reaches; the draws that stand in no answer now, the last sealed first, and how many they are in all.
SELECT
    latest_received_ms, first_day, last_day, events,
    arraySlice(withheld_draws, 1, {named:UInt32}) AS draws, length(withheld_draws) AS count, next_seal_ms
FROM store_reach
SETTINGS max_threads = 1
