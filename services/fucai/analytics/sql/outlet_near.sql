-- The outlets whose id or name is nearest to a text that names none: those that contain it first, then by edit distance.
SELECT outlet_id, latest
FROM (SELECT outlet_id, argMax(name, valid_from) AS latest FROM outlets GROUP BY outlet_id)
ORDER BY
    position(outlet_id, {asked:String}) = 0 AND position(latest, {asked:String}) = 0,
    least(editDistanceUTF8(outlet_id, {asked:String}), editDistanceUTF8(latest, {asked:String})),
    outlet_id
LIMIT 5
