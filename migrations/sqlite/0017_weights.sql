-- Which sweeps keep the weights of their runs.
alter table sweeps add column keeps_weights integer not null default 0 check (keeps_weights in (0, 1)); -- 1: each trained run's weights become an artifact
