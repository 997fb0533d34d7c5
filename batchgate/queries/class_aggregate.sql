-- What aggregates are made of.
-- where: exists (select from pg_catalog.pg_proc where oid >= 16384)
select
    p.oid::regprocedure::text as identity,
    jsonb_build_object(
        'kind', g.aggkind,
        'direct arguments', g.aggnumdirectargs,
        'transition', nullif(g.aggtransfn::oid, 0)::regprocedure::text,
        'final', nullif(g.aggfinalfn::oid, 0)::regprocedure::text,
        'combine', nullif(g.aggcombinefn::oid, 0)::regprocedure::text,
        'serialize', nullif(g.aggserialfn::oid, 0)::regprocedure::text,
        'deserialize', nullif(g.aggdeserialfn::oid, 0)::regprocedure::text,
        'moving transition', nullif(g.aggmtransfn::oid, 0)::regprocedure::text,
        'moving inverse', nullif(g.aggminvtransfn::oid, 0)::regprocedure::text,
        'moving final', nullif(g.aggmfinalfn::oid, 0)::regprocedure::text,
        'final extra', g.aggfinalextra,
        'moving final extra', g.aggmfinalextra,
        'final modify', g.aggfinalmodify,
        'moving final modify', g.aggmfinalmodify,
        'sort operator', nullif(g.aggsortop, 0)::regoperator::text,
        'state type', g.aggtranstype::regtype::text,
        'state space', g.aggtransspace,
        'moving state type', nullif(g.aggmtranstype, 0)::regtype::text,
        'moving state space', g.aggmtransspace,
        'initial', g.agginitval,
        'moving initial', g.aggminitval
    ) as attributes
from pg_catalog.pg_aggregate as g
join pg_catalog.pg_proc as p on p.oid = g.aggfnoid
join user_schema as s on s.oid = p.pronamespace
where ('pg_proc'::regclass, p.oid) not in (table member)
