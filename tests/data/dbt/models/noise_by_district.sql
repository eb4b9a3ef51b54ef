{{ config(materialized='table') }}
select m.district, max(c.level_db) as loudest_db, count(*) as readings
from {{ ref('clean_measurements') }} c join {{ ref('meters') }} m using (meter)
group by m.district
