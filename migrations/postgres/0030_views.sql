-- What people may ask the database for with SQL of their own: docs/notebook.md promises that these views keep their names,
-- columns and meaning; a change of any is a view of another number. The coordinator asks none of them.

-- A row a run in its sweep's plan.
create view runs_v1 as
select s.name as sweep, r.number as run, r.state, r.seed, r.dataset,
       r.config::jsonb as parameters,           -- JSON: every parameter that its model uses
       r.step, r.total_steps, r.batch, r.attempt, r.failures,
       r.message,                               -- why it last failed; null: it never did
       r.finished_ms                            -- unix milliseconds; null: it has not ended
from runs r
join sweeps s on s.id = r.sweep_id
where r.in_plan;

-- A row a run in the plan and metric that it has reported: what the metric has come to. Tables of `acai results` are made of
-- the rows whose state is completed.
create view results_v1 as
select s.name as sweep, r.number as run, r.state, r.seed, r.dataset, r.config::jsonb as parameters, m.name as metric,
       m.last_step as step,                     -- its last one with a value
       m.last as value,                         -- at that step
       m.last_step = r.total_steps as is_final, -- the value is of the whole training
       m.min, m.max, m.sum / m.count as mean,   -- over all its points
       m.count as points
from runs r
join sweeps s on s.id = r.sweep_id
join summaries m on m.run_id = r.id
where r.in_plan;

-- A row a point of a metric, of runs in the plan.
create view points_v1 as
select s.name as sweep, r.number as run, r.seed, r.state, p.name as metric, p.step, p.value
from runs r
join sweeps s on s.id = r.sweep_id
join metrics p on p.run_id = r.id
where r.in_plan;
