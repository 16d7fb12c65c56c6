-- How long runs wait for a worker.

alter table runs add column queued_ms bigint; -- when it was last queued; null: a version before this one queued it
