place IN (SELECT arrayJoin((
        SELECT groupArray(toYYYYMM(valid_from) * 1000000000000 + cityHash64(outlet_id) % 1000000000000)
        FROM outlet_history
        WHERE toDayOfMonth(valid_from) > 1 AND toStartOfMonth(valid_from) IN {whole_months:Array(Date)} AND $outlets
    )))
