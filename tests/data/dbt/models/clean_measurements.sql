select meter, measured_at, level_db
from {{ source('field', 'measurements') }}
where level_db is not null
