-- An index is dropped and not missed until a search is slow.

drop index "Message_role_idx";
