-- What keeps questions quick at a hundred million events: two projections more, and views that let them be used under the embargo.
-- The whole channel by day and draw: what trends, headline, freshness and the embargo itself read, a few thousand rows a year.
ALTER TABLE sales ${on_cluster} ADD PROJECTION IF NOT EXISTS by_draw
(
    SELECT business_day, game, draw_no, kind,
           count(), sum(amount_fen), sum(bets), sum(companion_fen),
           countIf(NOT daily_summary), countIf(companion_fen > 0 AND NOT daily_summary), max(received_at)
    GROUP BY business_day, game, draw_no, kind
) FIRST;

ALTER TABLE sales ${on_cluster} MATERIALIZE PROJECTION IF EXISTS by_draw;

-- Each outlet's day in one row: what is asked of every outlet and day, or of one outlet. Draws cannot be told apart in it; see settled_sales.
-- The key begins with the outlet's place in the month, a number of both, and granules are small: a few outlets of each month are found without
-- reading the others. No key of the table says anything of that number, so the table's own marks, ten times as many, are not searched for it; for
-- a condition on the month they were, for a tenth of a second.
ALTER TABLE sales ${on_cluster} ADD PROJECTION IF NOT EXISTS by_outlet
(
    SELECT toYYYYMM(business_day) * 1000000000000 + cityHash64(outlet_id) % 1000000000000, outlet_id, business_day,
           countIf(kind = 'SALE'), countIf(kind = 'VOID'), countIf(kind = 'PAYOUT'),
           sumIf(amount_fen, kind = 'SALE'), sumIf(amount_fen, kind = 'VOID'), sumIf(amount_fen, kind = 'PAYOUT'),
           sumIf(bets, kind = 'SALE'), sumIf(bets, kind = 'VOID'),
           sumIf(companion_fen, kind = 'SALE'),
           countIf(kind = 'SALE' AND NOT daily_summary),
           countIf(kind = 'SALE' AND companion_fen > 0 AND NOT daily_summary),
           countIf(kind = 'SALE' AND daily_summary AND bets > 0)
    GROUP BY toYYYYMM(business_day) * 1000000000000 + cityHash64(outlet_id) % 1000000000000, outlet_id, business_day
) WITH SETTINGS (index_granularity = 256);

ALTER TABLE sales ${on_cluster} MATERIALIZE PROJECTION IF EXISTS by_outlet;

-- The same by month, with the days that had sales as bits: thirty times fewer rows where days need not be told apart.
ALTER TABLE sales ${on_cluster} ADD PROJECTION IF NOT EXISTS by_outlet_month
(
    SELECT toYYYYMM(business_day) * 1000000000000 + cityHash64(outlet_id) % 1000000000000, outlet_id, toStartOfMonth(business_day),
           countIf(kind = 'SALE'), countIf(kind = 'VOID'), countIf(kind = 'PAYOUT'),
           sumIf(amount_fen, kind = 'SALE'), sumIf(amount_fen, kind = 'VOID'), sumIf(amount_fen, kind = 'PAYOUT'),
           sumIf(bets, kind = 'SALE'), sumIf(bets, kind = 'VOID'),
           sumIf(companion_fen, kind = 'SALE'),
           countIf(kind = 'SALE' AND NOT daily_summary),
           countIf(kind = 'SALE' AND companion_fen > 0 AND NOT daily_summary),
           countIf(kind = 'SALE' AND daily_summary AND bets > 0),
           groupBitOrIf(bitShiftLeft(toUInt32(1), toDayOfMonth(business_day)), kind = 'SALE' AND (NOT daily_summary OR bets > 0))
    GROUP BY toYYYYMM(business_day) * 1000000000000 + cityHash64(outlet_id) % 1000000000000, outlet_id, toStartOfMonth(business_day)
);

ALTER TABLE sales ${on_cluster} MATERIALIZE PROJECTION IF EXISTS by_outlet_month;

-- The projection `daily` with what visits, attach rate and activity are made of, too: they are asked of days that are not settled.
ALTER TABLE sales ${on_cluster} ADD PROJECTION IF NOT EXISTS by_outlet_draw
(
    SELECT business_day, outlet_id, game, draw_no, kind,
           count(), sum(amount_fen), sum(bets), sum(companion_fen),
           countIf(NOT daily_summary), countIf(companion_fen > 0 AND NOT daily_summary),
           countIf(daily_summary AND bets > 0), max(received_at)
    GROUP BY business_day, outlet_id, game, draw_no, kind
);

ALTER TABLE sales ${on_cluster} MATERIALIZE PROJECTION IF EXISTS by_outlet_draw;

ALTER TABLE sales ${on_cluster} DROP PROJECTION IF EXISTS daily;

-- Business days on which an event of a withheld draw is stored. Holds no figure. (A query that names its projection is planned without the others.)
CREATE VIEW IF NOT EXISTS unsettled_days ${on_cluster} AS
SELECT groupUniqArray(business_day) AS days
FROM (SELECT business_day, game, draw_no, count() FROM ${database}.sales_seals WHERE withheld GROUP BY business_day, game, draw_no SETTINGS preferred_optimize_projection_name = 'by_draw');

-- `visible_sales` in two halves. On a settled day no event is withheld, so nobody needs to tell draws apart and `by_outlet` can be read;
-- the other days are read as ever. Which days are settled is found by the very query, in the same snapshot of the parts as the sums: an event
-- of a withheld draw that is stored meanwhile, on however old a day, is in both or in neither. Without shared snapshots no day counts as settled.
-- place: see by_outlet; month: its month as a number; month_unsettled: whether any day of the month is not settled.
CREATE VIEW IF NOT EXISTS settled_sales ${on_cluster} AS
WITH (SELECT days FROM ${database}.unsettled_days) AS unsettled
SELECT *, toYYYYMM(business_day) * 1000000000000 + cityHash64(outlet_id) % 1000000000000 AS place, intDiv(place, 1000000000000) AS month, has(arrayMap(day -> toYYYYMM(day), unsettled), month) AS month_unsettled
FROM ${database}.sales
WHERE getSetting('enable_shared_storage_snapshot_in_query') AND if(has(unsettled, business_day), false, true);

-- The months all of whose days are settled.
CREATE VIEW IF NOT EXISTS settled_months ${on_cluster} AS
WITH (SELECT days FROM ${database}.unsettled_days) AS unsettled
SELECT *, toYYYYMM(business_day) * 1000000000000 + cityHash64(outlet_id) % 1000000000000 AS place, intDiv(place, 1000000000000) AS month
FROM ${database}.sales
WHERE getSetting('enable_shared_storage_snapshot_in_query') AND if(has(arrayMap(day -> toYYYYMM(day), unsettled), month), false, true);

CREATE VIEW IF NOT EXISTS unsettled_sales ${on_cluster} AS
WITH (SELECT days FROM ${database}.unsettled_days) AS unsettled
SELECT * EXCEPT (withheld)
FROM ${database}.sales_seals
WHERE (NOT getSetting('enable_shared_storage_snapshot_in_query') OR has(unsettled, business_day)) AND NOT withheld;
