-- Files that runs leave for people: pictures of what a model does. Their bytes are blobs.
create table artifacts (
    run_id        bigint not null references runs (id),
    name          text    not null,             -- of the file, without its step: interpolations.png
    step          bigint not null,             -- training steps done
    sha256        text    not null references blobs (sha256),
    bytes         bigint not null,
    attempt       bigint not null,             -- who brought it
    added_ms      bigint not null,
    primary key (run_id, name, step)
);

create index artifacts_of_blobs on artifacts (sha256);
