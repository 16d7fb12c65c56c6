-- Times are unix milliseconds from the coordinator's clock. JSON is text.

create table sweeps (
    id            integer primary key,
    name          text    not null unique,      -- as in the file; the sweep's id for people
    submitted_ms  integer not null,             -- first submission
    -- from here on: as last submitted
    source        text    not null,             -- the YAML text
    description   text    not null,
    tags          text    not null,             -- JSON array of words
    priority      integer not null,             -- larger first
    max_concurrent integer,                     -- runs at a time; null: no limit
    max_restarts  integer not null,             -- failures a run may have and still be queued again
    checkpoint_kimg real                        -- null: at each evaluation
) strict;

create table workers (
    id            text    primary key,          -- UUID chosen at the worker's start
    registered_ms integer not null,
    name          text    not null,
    version       text    not null,
    hardware      text    not null,             -- JSON
    slots         integer not null,
    datasets      text    not null,             -- JSON array: what it can train on
    last_seen_ms  integer not null
) strict;

create table runs (
    id            integer primary key,
    sweep_id      integer not null references sweeps (id),
    seed          integer not null,             -- the u64's bits
    config        text    not null,             -- resolved configuration, canonical JSON
    config_hash   text    not null,
    shape_key     text    not null,             -- runs that share it may train as one group
    dataset       text    not null,             -- what a worker needs to train it
    batch         integer not null,             -- images in a step
    total_steps   integer not null,
    -- from here on: changed by submissions
    idx           integer not null,             -- place in the sweep's plan, from 0
    in_plan       integer not null check (in_plan in (0, 1)), -- 0: the file no longer asks for it
    -- from here on: changed by execution
    state         text    not null default 'queued' check (state in
        ('queued', 'running', 'paused', 'completed', 'stopped', 'diverged', 'failed', 'lost', 'cancelled')),
    attempt       integer not null default 0,   -- claims so far; the fencing token
    worker_id     text    references workers (id), -- holder, or last holder
    lease_expires_ms integer,                   -- not null exactly while running
    step          integer not null default 0,   -- steps done by the current or last attempt
    failures      integer not null default 0,   -- charged to the run
    message       text,                         -- why it last failed
    finished_ms   integer,
    unique (sweep_id, config_hash, seed),
    check ((state = 'running') = (lease_expires_ms is not null))
) strict;

create index runs_queue on runs (sweep_id, state, in_plan, idx);
create index runs_leases on runs (lease_expires_ms) where state = 'running';

create table attempts (
    run_id        integer not null references runs (id),
    number        integer not null,             -- from 1
    worker_id     text    not null references workers (id),
    claim_id      text    not null,             -- chosen by the worker: a repeated claim finds its grant
    claim_group   integer not null,             -- which group of the grant
    started_ms    integer not null,
    acked_seq     integer not null default 0,   -- points 1..acked_seq are durable
    replay_mismatches integer not null default 0, -- points that differed from an earlier attempt's
    ended_ms      integer,
    outcome       text check (outcome in ('completed', 'failed', 'diverged', 'released', 'lost')),
    message       text,
    primary key (run_id, number)
) strict, without rowid;

create index attempts_claims on attempts (claim_id);

create table metrics (
    run_id        integer not null references runs (id),
    name          text    not null,
    step          integer not null,             -- training steps done
    value         real    not null,             -- finite
    attempt       integer not null,             -- who wrote it last
    primary key (run_id, name, step)
) strict, without rowid;

-- One row for each run and metric, kept in the transaction that adds the points: listings never read points.
create table summaries (
    run_id        integer not null references runs (id),
    name          text    not null,
    last_step     integer not null,
    last          real    not null,
    min           real    not null,
    max           real    not null,
    sum           real    not null,
    count         integer not null,
    primary key (run_id, name)
) strict, without rowid;

-- For people with their own SQL tools.

create view runs_wide as
select s.name as sweep, r.idx, r.id as run, r.state, r.seed, r.config, r.attempt, r.step, r.total_steps,
       r.failures, r.message, w.name as worker,
       (select json_group_object(m.name, m.last) from summaries m where m.run_id = r.id) as last_values
from runs r
join sweeps s on s.id = r.sweep_id
left join workers w on w.id = r.worker_id
where r.in_plan = 1;

-- Mean and population standard deviation of the last values over the completed seeds of a configuration.
create view results as
select s.name as sweep, r.config, m.name as metric, count(*) as n, avg(m.last) as mean,
       sqrt(max(0.0, avg(m.last * m.last) - avg(m.last) * avg(m.last))) as std
from runs r
join sweeps s on s.id = r.sweep_id
join summaries m on m.run_id = r.id
where r.in_plan = 1 and r.state = 'completed'
group by r.sweep_id, r.config_hash, m.name;
