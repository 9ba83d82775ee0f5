-- Two periods by outlet, each outlet where it was on the day of its last sale, so that it stands in one place only.
SELECT
    $area AS groups, member, opened,
    base_fen, value_fen, base_bets, value_bets, base_companion_fen, value_companion_fen, business_day
FROM (SELECT * EXCEPT (groups, last_sale), member AS outlet_id, last_sale AS business_day FROM ($paired))
