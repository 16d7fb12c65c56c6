-- Which sweeps keep the weights of their runs.
alter table sweeps add column keeps_weights boolean not null default false; -- true: each trained run's weights become an artifact
