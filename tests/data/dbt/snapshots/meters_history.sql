{% snapshot meters_history %}
{{ config(target_schema='history', unique_key='meter', strategy='check', check_cols='all') }}
select * from {{ ref('meters') }}
{% endsnapshot %}
