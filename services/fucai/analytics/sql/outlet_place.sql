-- An outlet beside the others: its place by sales within a management area, and what outlets of a zone type sell, as of each sale.
-- Only outlets that ever stood in either are summed, and those with sales above zero there count. The innermost rows (outlet_days.py) have the keys of a projection.
SELECT
    anyIf(area_fen, outlet_id = {outlet_id:String}) AS own_fen,
    groupArrayIf(area_fen, area_fen > 0) AS area_sales,
    arrayCount(fen -> fen > own_fen, area_sales) + 1 AS place,
    length(area_sales) AS outlets_in_area,
    sumIf(type_fen, type_fen > 0) AS zone_type_fen,
    countIf(type_fen > 0) AS zone_type_outlets
FROM
(
    SELECT outlet_id, sumIf(fen, $area = {mgmt_area:String}) AS area_fen, sumIf(fen, $zone_type = {zone_type:String}) AS type_fen
    FROM
    (
        SELECT business_day, outlet_id, $sales AS fen
        FROM
        (
            $rows
        )
        WHERE $summed
    )
    GROUP BY outlet_id
)
