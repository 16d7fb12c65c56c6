-- Workers say when they end, so that nobody takes them for silent.

alter table workers add column ended_ms integer;  -- when it said that it ends; null: it has not
