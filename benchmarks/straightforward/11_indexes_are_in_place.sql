select indexrelname, idx_scan
from pg_stat_user_indexes
where indexrelname in (
    'Message_content_fts_idx',
    'Message_role_idx',
    'Conversation_lead_open_unique',
    'Message_conversation_id_created_at_idx',
    'Conversation_customer_id_started_at_idx'
)
order by indexrelname;
