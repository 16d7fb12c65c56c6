-- How many runs of each kind a sweep has. Triggers keep the tallies in the statements that change runs, so that they are right
-- after each of them, and nobody counts runs to list sweeps.
create table tallies (
    sweep_id      integer not null references sweeps (id),
    in_plan       integer not null check (in_plan in (0, 1)),
    state         text    not null,
    dataset       text    not null,
    runs          integer not null,
    images_done   integer not null,             -- 0 of runs that are being trained: theirs change with each report
    images_total  integer not null,
    primary key (sweep_id, in_plan, state, dataset)
) strict, without rowid;

insert into tallies (sweep_id, in_plan, state, dataset, runs, images_done, images_total)
select sweep_id, in_plan, state, dataset, count(*), sum(case when state = 'running' then 0 else step * batch end),
       sum(total_steps * batch)
from runs group by sweep_id, in_plan, state, dataset;

create trigger tallies_of_new_runs after insert on runs
begin
    insert into tallies (sweep_id, in_plan, state, dataset, runs, images_done, images_total)
    values (new.sweep_id, new.in_plan, new.state, new.dataset, 1,
            case when new.state = 'running' then 0 else new.step * new.batch end, new.total_steps * new.batch)
    on conflict (sweep_id, in_plan, state, dataset) do update set runs = runs + excluded.runs,
        images_done = images_done + excluded.images_done, images_total = images_total + excluded.images_total;
end;

create trigger tallies_of_deleted_runs after delete on runs
begin
    update tallies set runs = runs - 1,
        images_done = images_done - case when old.state = 'running' then 0 else old.step * old.batch end,
        images_total = images_total - old.total_steps * old.batch
    where sweep_id = old.sweep_id and in_plan = old.in_plan and state = old.state and dataset = old.dataset;
end;

create trigger tallies_of_changed_runs after update of state, in_plan, step on runs
when old.state <> new.state or old.in_plan <> new.in_plan or (new.state <> 'running' and old.step <> new.step)
begin
    update tallies set runs = runs - 1,
        images_done = images_done - case when old.state = 'running' then 0 else old.step * old.batch end,
        images_total = images_total - old.total_steps * old.batch
    where sweep_id = old.sweep_id and in_plan = old.in_plan and state = old.state and dataset = old.dataset;
    insert into tallies (sweep_id, in_plan, state, dataset, runs, images_done, images_total)
    values (new.sweep_id, new.in_plan, new.state, new.dataset, 1,
            case when new.state = 'running' then 0 else new.step * new.batch end, new.total_steps * new.batch)
    on conflict (sweep_id, in_plan, state, dataset) do update set runs = runs + excluded.runs,
        images_done = images_done + excluded.images_done, images_total = images_total + excluded.images_total;
end;

-- The few runs and attempts that lists ask for among many.
create index runs_in_trouble on runs (sweep_id, idx)
    where in_plan = true and (state in ('diverged', 'failed', 'lost') or (failures > 0 and state in ('queued', 'running')));
create index attempts_with_mismatches on attempts (run_id, replay_mismatches) where replay_mismatches > 0;
