-- Leases across restarts of coordinators, events of runs that leave the plan, and a way to a run by its place.

alter table runs add column lease_term_ms integer not null default 0; -- how long its lease lasts, as its worker was told
alter table runs add column fresh_terms integer not null default 0;   -- given at starts of coordinators since it was renewed

alter table events add column idx integer;  -- place in the plan when it happened; null: it was not in it
update events set idx = (select r.idx from runs r where r.id = events.run_id);

create index runs_places on runs (sweep_id, idx);
