-- A run whose configuration the coordinator cannot read is left out of the queue, so that it holds up no other.

alter table runs add column unreadable text; -- why the coordinator could not read its configuration; null: it could, or has not tried

drop index runs_waiting;
create index runs_waiting on runs (sweep_id, state, in_plan, dataset, idx)
    where state = 'queued' and in_plan = true and unreadable is null;
create index runs_unreadable on runs (id) where unreadable is not null;
