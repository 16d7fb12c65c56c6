-- Files that runs leave for people: pictures of what a model does. Their bytes are blobs.
create table artifacts (
    run_id        integer not null references runs (id),
    name          text    not null,             -- of the file, without its step: interpolations.png
    step          integer not null,             -- training steps done
    sha256        text    not null references blobs (sha256),
    bytes         integer not null,
    attempt       integer not null,             -- who brought it
    added_ms      integer not null,
    primary key (run_id, name, step)
) strict, without rowid;

create index artifacts_of_blobs on artifacts (sha256);
