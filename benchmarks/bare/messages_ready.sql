-- Empty tables stand for what the backfill of messages found out, and for its record.

create schema if not exists ready;

create table ready.conversation (like public."Conversation");

create table ready.message (like public."Message");

create table ready.conversation_record (
    entity text not null,
    id uuid not null,
    lead_id uuid,
    customer_id uuid,
    audit_id uuid
);

create table ready.conversation_backfill (
    entity text not null check (entity in ('conversation', 'message', 'audit')),
    id uuid not null,
    lead_id uuid,
    customer_id uuid,
    audit_id uuid,
    primary key (entity, id)
);
