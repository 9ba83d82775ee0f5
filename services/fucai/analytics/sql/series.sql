-- The names of the benchmark series.
SELECT DISTINCT series FROM benchmarks ORDER BY series
