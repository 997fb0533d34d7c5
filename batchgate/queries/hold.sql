select pg_catalog.set_config(s.name, s.setting, true)
from unnest(%(names)s::pg_catalog.text[], %(values)s::pg_catalog.text[]) as s (name, setting)
