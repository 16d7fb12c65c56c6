-- Times are unix milliseconds from the database's clock. JSON is text.

create table sweeps (
    id            bigint generated always as identity primary key,
    name          text    not null unique,      -- as in the file; the sweep's id for people
    submitted_ms  bigint  not null,             -- first submission
    -- from here on: as last submitted
    source        text    not null,             -- the YAML text
    description   text    not null,
    tags          text    not null,             -- JSON array of words
    priority      bigint  not null,             -- larger first
    max_concurrent bigint,                     -- runs at a time; null: no limit
    max_restarts  bigint  not null,             -- failures a run may have and still be queued again
    checkpoint_kimg double precision                        -- null: at each evaluation
);

create table workers (
    id            text    primary key,          -- UUID chosen at the worker's start
    registered_ms bigint  not null,
    name          text    not null,
    version       text    not null,
    hardware      text    not null,             -- JSON
    slots         bigint  not null,
    datasets      text    not null,             -- JSON array: what it can train on
    last_seen_ms  bigint  not null
);

create table runs (
    id            bigint generated always as identity primary key,
    sweep_id      bigint  not null references sweeps (id),
    seed          bigint  not null,             -- the u64's bits
    config        text    not null,             -- resolved configuration, canonical JSON
    config_hash   text    not null,
    shape_key     text    not null,             -- runs that share it may train as one group
    dataset       text    not null,             -- what a worker needs to train it
    batch         bigint  not null,             -- images in a step
    total_steps   bigint  not null,
    -- from here on: changed by submissions
    idx           bigint  not null,             -- place in the sweep's plan, from 0
    in_plan       boolean not null,            -- false: the file no longer asks for it
    -- from here on: changed by execution
    state         text    not null default 'queued' check (state in
        ('queued', 'running', 'paused', 'completed', 'stopped', 'diverged', 'failed', 'lost', 'cancelled')),
    attempt       bigint  not null default 0,   -- claims so far; the fencing token
    worker_id     text    references workers (id), -- holder, or last holder
    lease_expires_ms bigint,                   -- not null exactly while running
    step          bigint  not null default 0,   -- steps done by the current or last attempt
    failures      bigint  not null default 0,   -- charged to the run
    message       text,                         -- why it last failed
    finished_ms   bigint,
    unique (sweep_id, config_hash, seed),
    check ((state = 'running') = (lease_expires_ms is not null))
);

create index runs_queue on runs (sweep_id, state, in_plan, idx);
create index runs_leases on runs (lease_expires_ms) where state = 'running';

create table attempts (
    run_id        bigint  not null references runs (id),
    number        bigint  not null,             -- from 1
    worker_id     text    not null references workers (id),
    claim_id      text    not null,             -- chosen by the worker: a repeated claim finds its grant
    claim_group   bigint  not null,             -- which group of the grant
    started_ms    bigint  not null,
    acked_seq     bigint  not null default 0,   -- points 1..acked_seq are durable
    replay_mismatches bigint  not null default 0, -- points that differed from an earlier attempt's
    ended_ms      bigint,
    outcome       text check (outcome in ('completed', 'failed', 'diverged', 'released', 'lost')),
    message       text,
    primary key (run_id, number)
);

create index attempts_claims on attempts (claim_id);

create table metrics (
    run_id        bigint  not null references runs (id),
    name          text    not null,
    step          bigint  not null,             -- training steps done
    value         double precision    not null,             -- finite
    attempt       bigint  not null,             -- who wrote it last
    primary key (run_id, name, step)
);

-- One row for each run and metric, kept in the transaction that adds the points: listings never read points.
create table summaries (
    run_id        bigint  not null references runs (id),
    name          text    not null,
    last_step     bigint  not null,
    last          double precision    not null,
    min           double precision    not null,
    max           double precision    not null,
    sum           double precision    not null,
    count         bigint  not null,
    primary key (run_id, name)
);

-- For people with their own SQL tools.

create view runs_wide as
select s.name as sweep, r.idx, r.id as run, r.state, r.seed, r.config, r.attempt, r.step, r.total_steps,
       r.failures, r.message, w.name as worker,
       (select json_object_agg(m.name, m.last) from summaries m where m.run_id = r.id) as last_values
from runs r
join sweeps s on s.id = r.sweep_id
left join workers w on w.id = r.worker_id
where r.in_plan;

-- Mean and population standard deviation of the last values over the completed seeds of a configuration.
create view results as
select s.name as sweep, r.config, m.name as metric, count(*) as n, avg(m.last) as mean,
       sqrt(greatest(0.0, avg(m.last * m.last) - avg(m.last) * avg(m.last))) as std
from runs r
join sweeps s on s.id = r.sweep_id
join summaries m on m.run_id = r.id
where r.in_plan and r.state = 'completed'
group by s.name, r.config, m.name;
