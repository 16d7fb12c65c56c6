-- The summaries of a completed run in one row, written when it is completed, so that a table of results reads one row a run.
create table results_of_runs (
    run_id        bigint primary key references runs (id),
    summaries     text    -- JSON: by metric [last, min, max, mean]; null: the run was completed by an earlier version, and the next start keeps them
);

insert into results_of_runs (run_id) select id from runs where state = 'completed';
create index results_of_runs_missing on results_of_runs (run_id) where summaries is null;
