-- The embargo (彩票管理条例 art. 22): from a draw's seal to its end nobody is shown figures that contain it.
-- A sample's draws say so, as its outlets do.
ALTER TABLE draw_rows ${on_cluster} ADD COLUMN IF NOT EXISTS is_sample Bool DEFAULT false AFTER drawn_ms;

CREATE OR REPLACE VIEW draws ${on_cluster} AS
SELECT game, draw_no, sales_close_ms, drawn_ms, is_sample, import_id
FROM ${database}.draw_rows
WHERE import_id IN (SELECT import_id FROM ${database}.imports)
ORDER BY game, draw_no, import_id DESC
LIMIT 1 BY game, draw_no;

-- Who sealed or ended a draw, when and why. Rows are added, never changed; the first of its kind counts.
CREATE TABLE IF NOT EXISTS draw_act_rows ${on_cluster}
(
    game         LowCardinality(String),
    draw_no      String,
    act          LowCardinality(String),
    at_ms        Int64,
    acted_by     String,
    note         String,
    recorded_ms  Int64,
    import_id    UInt64
)
ENGINE = ${merge_tree}
ORDER BY (game, draw_no, act, import_id)
SETTINGS ${durable};

CREATE VIEW IF NOT EXISTS draw_acts ${on_cluster} AS
SELECT game, draw_no, act, at_ms, acted_by, note, recorded_ms, import_id
FROM ${database}.draw_act_rows
WHERE import_id IN (SELECT import_id FROM ${database}.imports)
ORDER BY game, draw_no, act, import_id
LIMIT 1 BY game, draw_no, act;

-- Each draw's seal and end, schedule and acts put together as domain/embargo.py does: sealed at the scheduled close or an earlier act,
-- ended at its act, else as recorded. drawn_ms is 0 while no end is known.
CREATE VIEW IF NOT EXISTS draw_seals ${on_cluster} AS
SELECT
    game, draw_no,
    max(close_ms) AS sales_close_ms,
    if(max(seal_ms) > 0, least(max(seal_ms), max(close_ms)), max(close_ms)) AS sealed_ms,
    if(max(end_ms) > 0, max(end_ms), max(recorded_end_ms)) AS drawn_ms
FROM
(
    SELECT
        toString(game) AS game, draw_no, sales_close_ms AS close_ms, drawn_ms AS recorded_end_ms,
        toInt64(0) AS seal_ms, toInt64(0) AS end_ms
    FROM ${database}.draws
    UNION ALL
    SELECT
        toString(game) AS game, draw_no, toInt64(0) AS close_ms, toInt64(0) AS recorded_end_ms,
        if(act = 'seal', at_ms, 0) AS seal_ms, if(act = 'end', at_ms, 0) AS end_ms
    FROM ${database}.draw_acts
)
GROUP BY game, draw_no
HAVING sales_close_ms > 0;

-- The same for dictGet. A draw that stands in no table has been sealed for ever and never ends; so has every draw if this cannot be
-- loaded, for then each query fails. The registry reloads it after each import, seal and end; a server also looks every few seconds, chDB does not.
CREATE DICTIONARY IF NOT EXISTS draw_times ${on_cluster}
(
    game       String,
    draw_no    String,
    close_ms   Int64 DEFAULT 0,
    sealed_ms  Int64 DEFAULT 0,
    ended_ms   Int64 DEFAULT 9223372036854775807
)
PRIMARY KEY game, draw_no
SOURCE(CLICKHOUSE(
    QUERY 'SELECT game, draw_no, sales_close_ms AS close_ms, sealed_ms, if(drawn_ms = 0, 9223372036854775807, drawn_ms) AS ended_ms FROM ${database}.draw_seals'
    INVALIDATE_QUERY 'SELECT count(), max(import_id) FROM ${database}.imports'
))
LAYOUT(COMPLEX_KEY_HASHED())
LIFETIME(MIN 2 MAX 5);

-- THE rule, and the only place of it in SQL. `withheld`: sealed and not ended, as of the query's own start, so that a scheduled seal needs
-- no reload. Instant games and daily summaries name no draw and are never sealed. `late`: received after the seal.
-- For speed (chDB 26.9, 5 M rows, 2 cores): `if` before AND, for it looks up no empty draw number; dictGet keeps the projections `daily` and `hourly`,
-- whose keys game and draw_no are (NOT IN a subquery loses them); now64 is folded to a constant; the look-up adds 8 to 12 ms to 84,000 rows of
-- `hourly`, 30 to 60 ms to 600,000 of `daily`; one dictGet of both values as a tuple is slower than two, and the end first: of draws
-- that ended the seal is not looked up.
CREATE VIEW IF NOT EXISTS sales_seals ${on_cluster} AS
SELECT
    *,
    if(draw_no = '', false,
       dictGet('${database}.draw_times', 'ended_ms', tuple(game, draw_no)) > toUnixTimestamp64Milli(now64(3))
       AND dictGet('${database}.draw_times', 'sealed_ms', tuple(game, draw_no)) <= toUnixTimestamp64Milli(now64(3))) AS withheld,
    if(draw_no = '', false,
       toUnixTimestamp64Milli(received_at) > dictGet('${database}.draw_times', 'sealed_ms', tuple(game, draw_no))) AS late
FROM ${database}.sales;

-- What anybody may see. Every figure is read from here.
CREATE VIEW IF NOT EXISTS visible_sales ${on_cluster} AS
SELECT * EXCEPT (withheld) FROM ${database}.sales_seals WHERE NOT withheld;

-- The same of one outlet, which is asked first: its neighbours in the granules of the table, five times as many, have no draw looked up.
CREATE VIEW IF NOT EXISTS outlet_sales ${on_cluster} AS
SELECT * EXCEPT (withheld) FROM ${database}.sales_seals WHERE outlet_id = {outlet_id:String} AND NOT withheld;

-- The draws of which sales are stored and nobody may see any; sealed_ms is 0 where the draw stands in no table. Holds no figure.
CREATE VIEW IF NOT EXISTS withheld_draws ${on_cluster} AS
SELECT game, draw_no, dictGet('${database}.draw_times', 'sealed_ms', tuple(game, draw_no)) AS sealed_ms
FROM (SELECT toString(game) AS game, toString(draw_no) AS draw_no, count() FROM ${database}.sales_seals WHERE withheld GROUP BY game, draw_no);

-- How far the store reaches, and which draws are withheld, in one row and one reading: the first part without them, the second with the last sealed
-- first (game, draw number, scheduled close, seal, end; 0 where not known, an end in the far future), those in no table last. next_seal_ms: of any draw, 0 for none. withheld_days: the game and business day of their sales, over the whole channel;
-- who compares days leaves these games out of them, so that what is only withheld does not look like a fall.
CREATE VIEW IF NOT EXISTS store_reach ${on_cluster} AS
SELECT
    toUnixTimestamp64Milli(maxIf(newest, NOT withheld)) AS latest_received_ms,
    minIf(business_day, NOT withheld) AS first_day,
    maxIf(business_day, NOT withheld) AS last_day,
    sumIf(event_count, NOT withheld) AS events,
    arraySort(draw -> (-tupleElement(draw, 4), draw), arrayMap(
        draw -> (
            tupleElement(draw, 1), tupleElement(draw, 2), dictGet('${database}.draw_times', 'close_ms', draw),
            dictGet('${database}.draw_times', 'sealed_ms', draw), dictGet('${database}.draw_times', 'ended_ms', draw)
        ),
        groupUniqArrayIf((toString(game), toString(draw_no)), withheld)
    )) AS withheld_draws,
    groupUniqArrayIf((toString(game), business_day), withheld) AS withheld_days,
    (SELECT min(sealed_ms) FROM ${database}.draw_times WHERE sealed_ms > toUnixTimestamp64Milli(now64(3))) AS next_seal_ms
FROM
(
    SELECT business_day, game, draw_no, withheld, max(received_at) AS newest, count() AS event_count
    FROM ${database}.sales_seals
    GROUP BY business_day, game, draw_no, withheld
);
