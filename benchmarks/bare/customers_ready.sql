-- Empty tables stand for what the backfill of customers found out, and for its record.

create schema ready;

create table ready.customer (like public."Customer");

create table ready.lead (
    id uuid not null,
    customer_id uuid not null
);

create table ready.job (
    id uuid not null,
    customer_id uuid not null
);

create table ready.record (
    entity text not null,
    id uuid not null,
    customer_id uuid
);

create table ready.customer_backfill (
    entity text not null check (entity in ('customer', 'lead', 'job', 'audit')),
    id uuid not null,
    customer_id uuid,
    primary key (entity, id)
);
