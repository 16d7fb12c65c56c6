-- Only runs that a worker has had are looked for by their worker; the others need no place in the index.
drop index runs_of_workers;
create index runs_of_workers on runs (worker_id) where worker_id is not null;
