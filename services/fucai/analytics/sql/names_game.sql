-- The newest names of the games.
SELECT game, argMax(name, valid_from) FROM games GROUP BY game
