-- How far a standby is behind, as it knows itself: the clocks and positions of this very moment,
-- whenever the transaction began. Positions are in bytes.
select
    s.standby,
    w.pid is not null as receives,
    w.status,
    -- A receiver that begins sets both clocks to one time, and still has the positions of old.
    w.last_msg_send_time <> w.last_msg_receipt_time as heard,
    extract(epoch from pg_catalog.clock_timestamp() - w.last_msg_receipt_time)::float8 as silence,
    extract(
        epoch from pg_catalog.current_setting('wal_receiver_timeout')::interval
    )::float8 as timeout,
    case when s.standby then pg_catalog.pg_is_wal_replay_paused() end as paused,
    -- With every message the sender tells how far it is, which may be ahead of what has come.
    pg_catalog.pg_wal_lsn_diff(
        greatest(pg_catalog.pg_last_wal_receive_lsn(), w.latest_end_lsn),
        '0/0'
    ) as known,
    pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_last_wal_replay_lsn(), '0/0') as replayed,
    extract(
        epoch from pg_catalog.clock_timestamp() - pg_catalog.pg_last_xact_replay_timestamp()
    )::float8 as age,
    pg_catalog.quote_ident(current_user) as who
from (
    select pg_catalog.pg_is_in_recovery() as standby
) as s
left join pg_catalog.pg_stat_wal_receiver as w
    on true
