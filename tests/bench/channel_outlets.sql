-- Of ten outlets one opens within the two years, of twenty one closes, of eight one moves to another zone and trade.
INSERT INTO outlet_rows (outlet_id, valid_from, name, agent_id, zone_id, district_code, mgmt_area, format, channel_class,
                         opened, closed, is_sample, import_id)
WITH
    number % $outlets AS outlet, intDiv(number, $outlets) AS version, cityHash64(outlet, 'outlet') AS h,
    {first:Date} + h % $days AS turn, if(outlet % 10 = 1, turn, {first:Date} - 100) AS opens, outlet + version * 7 AS place
SELECT
    concat('O', leftPad(toString(outlet), 5, '0')), if(version = 0, opens, turn + 30), concat('网点', toString(outlet)), 'A1',
    concat('Z', leftPad(toString(place % $zones), 2, '0')), '', concat('M', leftPad(toString(outlet % $areas), 2, '0')),
    ['convenience_store', 'supermarket', 'complex', 'night_market', 'hotel'][place % 5 + 1],
    ['exclusive', 'concurrent', 'social'][outlet % 3 + 1], opens, if(outlet % 20 = 3, turn, NULL), true, $import
FROM numbers(2 * $outlets) WHERE version = 0 OR outlet % 8 = 5
