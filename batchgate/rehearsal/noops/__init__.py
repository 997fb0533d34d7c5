"""IF NOT EXISTS and IF EXISTS hide nothing."""
