-- How many runs of each kind a sweep has. Triggers keep the tallies in the statements that change runs, so that they are right
-- after each of them, and nobody counts runs to list sweeps. Whoever changes what is counted has locked the sweep.
create table tallies (
    sweep_id      bigint  not null references sweeps (id),
    in_plan       boolean not null,
    state         text    not null,
    dataset       text    not null,
    runs          bigint  not null,
    images_done   bigint  not null,             -- 0 of runs that are being trained: theirs change with each report
    images_total  bigint  not null,
    primary key (sweep_id, in_plan, state, dataset)
);

insert into tallies (sweep_id, in_plan, state, dataset, runs, images_done, images_total)
select sweep_id, in_plan, state, dataset, count(*), sum(case when state = 'running' then 0 else step * batch end),
       sum(total_steps * batch)
from runs group by sweep_id, in_plan, state, dataset;

-- What a run adds to a tally, `times` times.
create function tally(
    sweep_id bigint, in_plan boolean, state text, dataset text, step bigint, batch bigint, total_steps bigint, times bigint
) returns tallies language sql immutable as $$
    select row (sweep_id, in_plan, state, dataset, times,
                times * case when state = 'running' then 0 else step * batch end, times * total_steps * batch)::tallies
$$;

-- One statement may change a thousand runs. So triggers are called once a statement, with all its runs.
create function tally_runs() returns trigger language plpgsql as $$
declare
    changes tallies[];
begin
    if tg_op = 'INSERT' then
        changes := array(select tally(sweep_id, in_plan, state, dataset, step, batch, total_steps, 1) from after);
    elsif tg_op = 'DELETE' then
        changes := array(select tally(sweep_id, in_plan, state, dataset, step, batch, total_steps, -1) from before);
    else
        changes := array(
            select tally(r.sweep_id, r.in_plan, r.state, r.dataset, r.step, r.batch, r.total_steps, r.times)
            from (select before.*, -1 as times from before union all select after.*, 1 as times from after) as r);
    end if;
    insert into tallies as known (sweep_id, in_plan, state, dataset, runs, images_done, images_total)
    select c.sweep_id, c.in_plan, c.state, c.dataset, sum(c.runs), sum(c.images_done), sum(c.images_total)
    from unnest(changes) as c
    group by c.sweep_id, c.in_plan, c.state, c.dataset
    having sum(c.runs) <> 0 or sum(c.images_done) <> 0 or sum(c.images_total) <> 0
    on conflict (sweep_id, in_plan, state, dataset) do update set runs = known.runs + excluded.runs,
        images_done = known.images_done + excluded.images_done, images_total = known.images_total + excluded.images_total;
    return null;
end
$$;

create trigger tallies_of_new_runs after insert on runs
    referencing new table as after for each statement execute function tally_runs();
create trigger tallies_of_deleted_runs after delete on runs
    referencing old table as before for each statement execute function tally_runs();
create trigger tallies_of_changed_runs after update on runs
    referencing old table as before new table as after for each statement execute function tally_runs();

-- The few runs and attempts that lists ask for among many.
create index runs_in_trouble on runs (sweep_id, idx)
    where in_plan = true and (state in ('diverged', 'failed', 'lost') or (failures > 0 and state in ('queued', 'running')));
create index attempts_with_mismatches on attempts (run_id, replay_mismatches) where replay_mismatches > 0;
