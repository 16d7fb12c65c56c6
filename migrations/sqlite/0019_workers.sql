-- Ways to the runs and attempts of a worker, and to the workers that were seen last: thousands of dead ones cost nothing.
create index runs_of_workers on runs (worker_id);
create index attempts_of_workers on attempts (worker_id);
create index workers_seen on workers (last_seen_ms desc, id);
