-- A way through a sweep's plan in its order, from any place on: lists are read in pages.

create index runs_plan on runs (sweep_id, idx) where in_plan = true;

alter table sweeps add column report text; -- what the file says of tables, as JSON (group_by, sort_by, others); null: an earlier version stored it
