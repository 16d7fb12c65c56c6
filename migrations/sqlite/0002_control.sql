-- What people want of sweeps, runs and machines; what happened to runs; what they can resume from.

alter table sweeps add column max_lost_workers integer not null default 3; -- losses in a row that end a run
alter table sweeps add column max_failed_runs integer;  -- runs that may end badly before it pauses; null: no limit
alter table sweeps add column paused text;              -- why it starts no runs; null: it does
alter table sweeps add column failed_at_resume integer not null default 0; -- runs that had ended badly when it was last resumed
alter table sweeps add column last_event integer not null default 0;       -- number of its last event

alter table runs add column desired text check (desired in ('cancelled', 'paused')); -- asked of its holder
alter table runs add column losses integer not null default 0;  -- workers lost since its last checkpoint
alter table runs add column void_attempts integer not null default 0; -- attempts up to this one left nothing to resume from

-- Machines that take no runs, by the name of their workers: it outlives a restart of the worker.
create table cordons (
    worker_name   text    primary key,
    drain         integer not null check (drain in (0, 1)), -- 1: what it has is asked for as well
    since_ms      integer not null
) strict;

-- Each change of a run's state. Numbers have no gaps, and are given under a lock on the sweep, so that they are in
-- the order of the commits: whoever has seen number n misses nothing before it.
create table events (
    sweep_id      integer not null references sweeps (id),
    number        integer not null,             -- from 1
    at_ms         integer not null,
    run_id        integer not null references runs (id),
    state         text    not null,
    attempt       integer not null,
    worker        text,                         -- its name
    message       text,
    primary key (sweep_id, number)
) strict, without rowid;

create index events_of_runs on events (run_id, number);

-- Files in the blob store.
create table blobs (
    sha256        text    primary key,
    bytes         integer not null,
    last_used_ms  integer not null,             -- added, or last referred to by a checkpoint
    state         text    not null default 'stored' check (state in ('stored', 'deleting'))
) strict;

-- What runs can resume from.
create table checkpoints (
    run_id        integer not null references runs (id),
    step          integer not null,             -- training steps done
    sha256        text    not null references blobs (sha256),
    bytes         integer not null,
    attempt       integer not null,             -- who wrote it
    committed_ms  integer not null,
    state         text    not null default 'committed' check (state in ('committed', 'rejected')),
    reason        text,                         -- why it was rejected
    primary key (run_id, step)
) strict, without rowid;

create index checkpoints_of_blobs on checkpoints (sha256);

drop view runs_wide;
create view runs_wide as
select s.name as sweep, r.idx, r.id as run, r.state, r.desired, r.seed, r.config, r.attempt, r.step, r.total_steps,
       r.failures, r.losses, r.message, w.name as worker,
       (select json_group_object(m.name, m.last) from summaries m where m.run_id = r.id) as last_values
from runs r
join sweeps s on s.id = r.sweep_id
left join workers w on w.id = r.worker_id
where r.in_plan = 1;
