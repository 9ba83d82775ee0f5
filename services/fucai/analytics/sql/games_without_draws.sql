-- Games that have no draws (instant): they go on while the draw games rest.
SELECT game FROM games GROUP BY game HAVING NOT argMax(has_draws, valid_from)
