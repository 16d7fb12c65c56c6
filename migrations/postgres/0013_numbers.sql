-- A run has one number in its sweep for ever; its place in the plan is only an order, which submissions change.

alter table runs add column number bigint not null default 0; -- in its sweep, from 0: what people call the run by
update runs set number = counted.number
from (select id, row_number() over (partition by sweep_id order by id) - 1 as number from runs) as counted
where counted.id = runs.id;
create unique index runs_numbers on runs (sweep_id, number);

-- Runs were looked up and named by their places.
drop index runs_places;
alter table events drop column idx;

drop view runs_wide;
create view runs_wide as
select s.name as sweep, r.number, r.idx, r.id as run, r.state, r.desired, r.seed, r.config, r.attempt, r.step,
       r.total_steps, r.failures, r.losses, r.message, w.name as worker,
       (select json_object_agg(m.name, m.last) from summaries m where m.run_id = r.id) as last_values
from runs r
join sweeps s on s.id = r.sweep_id
left join workers w on w.id = r.worker_id
where r.in_plan;
