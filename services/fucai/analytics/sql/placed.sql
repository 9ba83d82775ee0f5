-- Two periods by outlet, each outlet where it was on the day of its last sale, so that it stands in one place only;
-- with the day it opened, as registered on that day (1970-01-01: unknown).
SELECT
    groups, member,
    $area AS area,
    dictGetOrDefault('outlet_history', 'opened', tuple(member), business_day, toDate(0)) AS opened,
    base_fen, value_fen, base_bets, value_bets, base_companion_fen, value_companion_fen
FROM (SELECT *, last_sale AS business_day, member AS outlet_id FROM ($paired))
