-- The published values of one series.
SELECT period, amount_fen, toString(yoy_pct) AS yoy_pct FROM benchmarks WHERE series = {series:String} ORDER BY period
