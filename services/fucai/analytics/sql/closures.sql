-- Market closures with their scope: draw_games or all. The market as a whole is open on no day of either.
SELECT first_day, last_day, toString(scope) AS scope FROM closures ORDER BY first_day, scope
