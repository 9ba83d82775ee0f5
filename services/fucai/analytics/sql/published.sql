-- Every published value of every series.
SELECT series, period, amount_fen, toString(yoy_pct) AS yoy_pct, basis FROM benchmarks ORDER BY series, period
