-- The keys that terminals sign their statements with: public ones only, in the terminal's binding.
ALTER TABLE terminal_rows ${on_cluster} ADD COLUMN IF NOT EXISTS public_key String DEFAULT '' AFTER is_sample;

CREATE OR REPLACE VIEW terminals ${on_cluster} AS
SELECT
    terminal_id, valid_from,
    if(next_from = toDate(0), toDate('2149-06-06'), next_from - 1) AS valid_to,
    outlet_id, kind, is_sample, public_key, import_id
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
