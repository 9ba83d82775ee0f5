SELECT
    outlet_id,
    arraySort(groupArrayArray(arrayWithConstant(
        least(visit_count, least_sales) + if(summary_count > 0, least_sales, 0),
        toInt32(business_day) - toInt32({first_day:Date}) + 1
    ))) AS days
FROM ($rows)
WHERE kind = 'SALE'
GROUP BY outlet_id
