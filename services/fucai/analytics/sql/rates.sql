-- The games' rates in basis points, by their first and last day.
SELECT game, valid_from, valid_to, prize_bp, issuing_fee_bp, welfare_fund_bp, commission_bp FROM games ORDER BY game, valid_from
