-- What aggregates are made of.
-- where: exists (select from pg_catalog.pg_proc where oid >= 16384)
select
    p.oid::regprocedure::text as identity,
    g.aggkind as "kind",
    g.aggnumdirectargs as "direct arguments",
    nullif(g.aggtransfn::oid, 0)::regprocedure::text as "transition",
    nullif(g.aggfinalfn::oid, 0)::regprocedure::text as "final",
    nullif(g.aggcombinefn::oid, 0)::regprocedure::text as "combine",
    nullif(g.aggserialfn::oid, 0)::regprocedure::text as "serialize",
    nullif(g.aggdeserialfn::oid, 0)::regprocedure::text as "deserialize",
    nullif(g.aggmtransfn::oid, 0)::regprocedure::text as "moving transition",
    nullif(g.aggminvtransfn::oid, 0)::regprocedure::text as "moving inverse",
    nullif(g.aggmfinalfn::oid, 0)::regprocedure::text as "moving final",
    g.aggfinalextra as "final extra",
    g.aggmfinalextra as "moving final extra",
    g.aggfinalmodify as "final modify",
    g.aggmfinalmodify as "moving final modify",
    nullif(g.aggsortop, 0)::regoperator::text as "sort operator",
    g.aggtranstype::regtype::text as "state type",
    g.aggtransspace as "state space",
    nullif(g.aggmtranstype, 0)::regtype::text as "moving state type",
    g.aggmtransspace as "moving state space",
    g.agginitval as "initial",
    g.aggminitval as "moving initial"
from pg_catalog.pg_aggregate as g
join pg_catalog.pg_proc as p on p.oid = g.aggfnoid
join user_schema as s on s.oid = p.pronamespace
where p.oid >= 16384
    and ('pg_proc'::regclass, p.oid) not in (select x.classid, x.objid from member as x)
