-- The registry: master data with its history. Tables `*_rows` only grow; a row counts once its import is in `imports`.
-- Views show, of each id (and valid_from), the row of the newest import: read those.

-- Numbers given to imports, written before their first row: a number is never given twice, whatever became of it.
CREATE TABLE IF NOT EXISTS import_numbers ${on_cluster}
(
    import_id      UInt64,
    reserved_at    DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')
)
ENGINE = ${merge_tree}
ORDER BY import_id
SETTINGS ${durable};

-- Imports that are complete. Inserted last, this row makes all rows of its import visible at once.
CREATE TABLE IF NOT EXISTS imports ${on_cluster}
(
    import_id      UInt64,
    source         String,
    sha256         String,
    at             DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC'),
    added          UInt32,
    corrected      UInt32,
    unchanged      UInt32
)
ENGINE = ${merge_tree}
ORDER BY import_id
SETTINGS ${durable};

CREATE TABLE IF NOT EXISTS zone_rows ${on_cluster}
(
    zone_id        String,
    name           String,
    zone_type      LowCardinality(String),
    district_code  LowCardinality(String),
    district       LowCardinality(String),
    basis          String,
    is_sample      Bool,
    import_id      UInt64
)
ENGINE = ${merge_tree}
ORDER BY (zone_id, import_id)
SETTINGS ${durable};

CREATE TABLE IF NOT EXISTS outlet_rows ${on_cluster}
(
    outlet_id      String,
    valid_from     Date,
    name           String,
    agent_id       String,
    zone_id        String,
    district_code  LowCardinality(String),
    mgmt_area      LowCardinality(String),
    format         LowCardinality(String),
    channel_class  LowCardinality(String),
    opened         Date,
    closed         Nullable(Date),
    is_sample      Bool,
    import_id      UInt64
)
ENGINE = ${merge_tree}
ORDER BY (outlet_id, valid_from, import_id)
SETTINGS ${durable};

CREATE TABLE IF NOT EXISTS terminal_rows ${on_cluster}
(
    terminal_id    String,
    valid_from     Date,
    outlet_id      String,
    kind           LowCardinality(String),
    is_sample      Bool,
    import_id      UInt64
)
ENGINE = ${merge_tree}
ORDER BY (terminal_id, valid_from, import_id)
SETTINGS ${durable};

CREATE TABLE IF NOT EXISTS game_rows ${on_cluster}
(
    game             String,
    valid_from       Date,
    name             String,
    game_type        LowCardinality(String),
    unit_price_fen   Int64,
    has_draws        Bool,
    max_multiplier   UInt32,
    max_ticket_fen   Int64,
    face_values_fen  Array(Int64),
    prize_bp         UInt32,
    issuing_fee_bp   UInt32,
    welfare_fund_bp  UInt32,
    commission_bp    UInt32,
    draw_weekdays    Array(UInt32),
    draw_time        String,
    basis            String,
    import_id        UInt64
)
ENGINE = ${merge_tree}
ORDER BY (game, valid_from, import_id)
SETTINGS ${durable};

CREATE TABLE IF NOT EXISTS draw_rows ${on_cluster}
(
    game            LowCardinality(String),
    draw_no         String,
    sales_close_ms  Int64,
    drawn_ms        Int64,
    import_id       UInt64
)
ENGINE = ${merge_tree}
ORDER BY (game, draw_no, import_id)
SETTINGS ${durable};

CREATE TABLE IF NOT EXISTS closure_rows ${on_cluster}
(
    first_day       Date,
    last_day        Date,
    scope           LowCardinality(String),
    name            String,
    import_id       UInt64
)
ENGINE = ${merge_tree}
ORDER BY (scope, first_day, import_id)
SETTINGS ${durable};

CREATE TABLE IF NOT EXISTS benchmark_rows ${on_cluster}
(
    series          LowCardinality(String),
    period          String,
    amount_fen      Int64,
    yoy_pct         String,
    basis           String,
    import_id       UInt64
)
ENGINE = ${merge_tree}
ORDER BY (series, period, import_id)
SETTINGS ${durable};

CREATE VIEW IF NOT EXISTS zones ${on_cluster} AS
SELECT zone_id, name, zone_type, district_code, district, basis, is_sample, import_id
FROM ${database}.zone_rows
WHERE import_id IN (SELECT import_id FROM ${database}.imports)
ORDER BY zone_id, import_id DESC
LIMIT 1 BY zone_id;

-- One row a version; valid_from and valid_to are its first and last day. The last version ends with the calendar of type Date.
CREATE VIEW IF NOT EXISTS outlets ${on_cluster} AS
SELECT
    outlet_id, valid_from,
    if(next_from = toDate(0), toDate('2149-06-06'), next_from - 1) AS valid_to,
    name, agent_id, zone_id, district_code, mgmt_area, format, channel_class, opened, closed, is_sample, import_id
FROM
(
    SELECT
        *,
        leadInFrame(valid_from, 1, toDate(0)) OVER
            (PARTITION BY outlet_id ORDER BY valid_from ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS next_from
    FROM
    (
        SELECT *
        FROM ${database}.outlet_rows
        WHERE import_id IN (SELECT import_id FROM ${database}.imports)
        ORDER BY outlet_id, valid_from, import_id DESC
        LIMIT 1 BY outlet_id, valid_from
    )
);

CREATE VIEW IF NOT EXISTS terminals ${on_cluster} AS
SELECT
    terminal_id, valid_from,
    if(next_from = toDate(0), toDate('2149-06-06'), next_from - 1) AS valid_to,
    outlet_id, kind, is_sample, import_id
FROM
(
    SELECT
        *,
        leadInFrame(valid_from, 1, toDate(0)) OVER
            (PARTITION BY terminal_id ORDER BY valid_from ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS next_from
    FROM
    (
        SELECT *
        FROM ${database}.terminal_rows
        WHERE import_id IN (SELECT import_id FROM ${database}.imports)
        ORDER BY terminal_id, valid_from, import_id DESC
        LIMIT 1 BY terminal_id, valid_from
    )
);

CREATE VIEW IF NOT EXISTS games ${on_cluster} AS
SELECT
    game, valid_from,
    if(next_from = toDate(0), toDate('2149-06-06'), next_from - 1) AS valid_to,
    name, game_type, unit_price_fen, has_draws, max_multiplier, max_ticket_fen, face_values_fen,
    prize_bp, issuing_fee_bp, welfare_fund_bp, commission_bp, draw_weekdays, draw_time, basis, import_id
FROM
(
    SELECT
        *,
        leadInFrame(valid_from, 1, toDate(0)) OVER
            (PARTITION BY game ORDER BY valid_from ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS next_from
    FROM
    (
        SELECT *
        FROM ${database}.game_rows
        WHERE import_id IN (SELECT import_id FROM ${database}.imports)
        ORDER BY game, valid_from, import_id DESC
        LIMIT 1 BY game, valid_from
    )
);

CREATE VIEW IF NOT EXISTS draws ${on_cluster} AS
SELECT game, draw_no, sales_close_ms, drawn_ms, import_id
FROM ${database}.draw_rows
WHERE import_id IN (SELECT import_id FROM ${database}.imports)
ORDER BY game, draw_no, import_id DESC
LIMIT 1 BY game, draw_no;

CREATE VIEW IF NOT EXISTS closures ${on_cluster} AS
SELECT first_day, last_day, scope, name, import_id
FROM ${database}.closure_rows
WHERE import_id IN (SELECT import_id FROM ${database}.imports)
ORDER BY scope, first_day, import_id DESC
LIMIT 1 BY scope, first_day;

CREATE VIEW IF NOT EXISTS benchmarks ${on_cluster} AS
SELECT series, period, amount_fen, yoy_pct, basis, import_id
FROM ${database}.benchmark_rows
WHERE import_id IN (SELECT import_id FROM ${database}.imports)
ORDER BY series, period, import_id DESC
LIMIT 1 BY series, period;

-- Outlets with their zone's name and type; an outlet without a district of its own has its zone's.
CREATE VIEW IF NOT EXISTS outlet_places ${on_cluster} AS
SELECT
    o.outlet_id AS outlet_id, o.valid_from AS valid_from, o.valid_to AS valid_to,
    o.name AS name, o.agent_id AS agent_id,
    o.zone_id AS zone_id, z.name AS zone_name, toString(z.zone_type) AS zone_type,
    if(o.district_code != '', toString(o.district_code), toString(z.district_code)) AS district_code,
    if(o.district_code IN ('', z.district_code), toString(z.district), d.district) AS district,
    toString(o.mgmt_area) AS mgmt_area, toString(o.format) AS format, toString(o.channel_class) AS channel_class,
    o.opened AS opened, o.closed AS closed
FROM ${database}.outlets AS o
LEFT JOIN ${database}.zones AS z ON z.zone_id = o.zone_id
LEFT JOIN
(
    SELECT district_code, toString(min(district)) AS district FROM ${database}.zones GROUP BY district_code
) AS d ON d.district_code = o.district_code;

-- Where an outlet stood on a day: dictGetOrDefault('outlet_history', 'zone_type', tuple(outlet_id), business_day, '').
-- The registry reloads it after each import; a server also looks for a new one every few seconds, chDB does not.
CREATE DICTIONARY IF NOT EXISTS outlet_history ${on_cluster}
(
    outlet_id      String,
    valid_from     Date,
    valid_to       Date,
    name           String,
    agent_id       String,
    zone_id        String,
    zone_name      String,
    zone_type      String,
    district_code  String,
    district       String,
    mgmt_area      String,
    format         String,
    channel_class  String,
    opened         Date,
    closed         Nullable(Date)
)
PRIMARY KEY outlet_id
SOURCE(CLICKHOUSE(
    QUERY 'SELECT outlet_id, valid_from, valid_to, name, agent_id, zone_id, zone_name, zone_type, district_code, district, mgmt_area, format, channel_class, opened, closed FROM ${database}.outlet_places'
    INVALIDATE_QUERY 'SELECT count(), max(import_id) FROM ${database}.imports'
))
LAYOUT(COMPLEX_KEY_RANGE_HASHED())
RANGE(MIN valid_from MAX valid_to)
LIFETIME(MIN 2 MAX 5);

-- Files of history that were let in. Inserted last, this row makes the file's claims count. The epoch is the file's own.
CREATE TABLE IF NOT EXISTS history_files ${on_cluster}
(
    epoch           UInt32,
    content_sha256  String,
    file            String,
    at              DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')
)
ENGINE = ${merge_tree}
ORDER BY epoch
SETTINGS ${durable};

-- Which days of which outlet and game a file brings, as runs of days, both ends included.
CREATE TABLE IF NOT EXISTS history_claims ${on_cluster}
(
    outlet_id       String,
    game            LowCardinality(String),
    first_day       Date,
    last_day        Date,
    epoch           UInt32
)
ENGINE = ${merge_tree}
ORDER BY (outlet_id, game, first_day, epoch)
SETTINGS ${durable};
