-- Events by outlet and day, drawn by hashing their number and the round they are written in: five games, hours with a peak, companion spend, voids and payouts.
INSERT INTO $table (outlet_id, business_day, sold_at, sold_hour, kind, game, draw_no, amount_fen, bets, multiplier,
                   companion_fen, daily_summary, terminal_id, epoch, seq, received_at, collector_id, kafka_partition, kafka_offset)
WITH
    {each:UInt64} AS each, intDiv(number, $outlets * each) AS nth_day, intDiv(number, each) % $outlets AS outlet,
    number % each AS nth, cityHash64(number, {round:UInt64}) AS h, cityHash64(outlet, 'outlet') AS about,
    {first:Date} + toIntervalDay(nth_day) AS day, {first:Date} + about % $days AS turn,
    [8, 9, 10, 10, 11, 11, 12, 12, 13, 14, 15, 16, 16, 17, 17, 17, 18, 18, 18, 18, 19, 19, 19, 20, 20, 21][h % 26 + 1] AS hour,
    has({closed:Array(UInt16)}, toUInt16(nth_day)) AS is_closed,
    if(is_closed, 5, [1, 1, 2, 2, 2, 3, 4, 4, 4, 5, 5, 5, 5][bitShiftRight(h, 8) % 13 + 1]) AS place,
    multiIf(bitShiftRight(h, 16) % 100 < 90, 1, bitShiftRight(h, 16) % 100 < 91, 2, 3) AS kind_number,
    1 + bitShiftRight(h, 24) % 5 + outlet % 4 AS betting,
    toDateTime64(day, 3, 'Asia/Shanghai') + toIntervalSecond(hour * 3600 + bitShiftRight(h, 32) % 3600) AS at
SELECT
    concat('O', leftPad(toString(outlet), 5, '0')), day, at, hour, CAST(kind_number, 'Enum8(\'SALE\' = 1, \'VOID\' = 2, \'PAYOUT\' = 3)'),
    ['ssq', '3d', 'qlc', 'kl8', 'instant'][place],
    if(place = 5, '', [{ssq:Array(String)}, {3d:Array(String)}, {qlc:Array(String)}, {kl8:Array(String)}][place][nth_day + 1 + (hour >= 20)]),
    200 * betting, betting, 1, if(kind_number = 1 AND bitShiftRight(h, 48) % 4 = 0, 500 + bitShiftRight(h, 52) % 2000, 0), false,
    concat('T', leftPad(toString(outlet), 5, '0')), 7, 1 + (nth_day + {round:UInt64} * $days) * each + nth AS number_of_till, at, 'collector-0',
    outlet % 8, intDiv(number_of_till, 50) * $outlets + outlet
FROM numbers({start:UInt64}, {count:UInt64})
WHERE day >= if(outlet % 10 = 1, turn, {first:Date}) AND day <= if(outlet % 20 = 3, turn, toDate('2149-01-01'))
SETTINGS max_partitions_per_insert_block = 0, max_insert_threads = 2, max_threads = 2, max_block_size = 262144,
         min_insert_block_size_rows = 1000000, min_insert_block_size_bytes = 0, use_legacy_to_time = 0
