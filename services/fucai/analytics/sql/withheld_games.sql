-- The games of which a draw that is sealed now was sold, over the whole channel, by business day. Holds no figure.
SELECT game, business_day FROM withheld_days WHERE business_day BETWEEN {first_day:Date} AND {last_day:Date} ORDER BY game, business_day
