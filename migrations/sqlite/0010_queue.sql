-- A way to the queued runs that a worker can train: claims ask by dataset.

create index runs_waiting on runs (sweep_id, state, in_plan, dataset, idx)
    where state = 'queued' and in_plan = true;
