-- Every text the server derives from a catalog or a row is written the same way, whoever asks, and
-- no limit that a batch has set for its database or its role ends the reading.
select
    set_config('search_path', '', true),
    set_config('TimeZone', 'UTC', true),
    set_config('DateStyle', 'ISO, YMD', true),
    set_config('IntervalStyle', 'postgres', true),
    set_config('extra_float_digits', '1', true),
    set_config('bytea_output', 'hex', true),
    set_config('lc_monetary', 'C', true),
    set_config('quote_all_identifiers', 'off', true),
    set_config('row_security', 'off', true),
    set_config('client_encoding', 'UTF8', true),
    set_config('statement_timeout', '0', true),
    set_config('lock_timeout', '0', true),
    set_config('jit', 'off', true)
