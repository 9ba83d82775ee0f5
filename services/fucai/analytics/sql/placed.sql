-- Two periods by outlet, each outlet where it was on its last day, so that it stands in one place only.
SELECT
    $area AS groups, member, opened,
    base_fen, value_fen, base_bets, value_bets, base_companion_fen, value_companion_fen, business_day
FROM (SELECT * EXCEPT (groups, last_seen), member AS outlet_id, last_seen AS business_day FROM ($paired))
