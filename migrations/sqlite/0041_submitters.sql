-- Whose sweeps these are, so that the bearers of one token do not take all that there is.
alter table sweeps add column submitter text; -- id of the token that submitted it last; null: nobody needed one
create index sweeps_of_submitters on sweeps (submitter) where submitter is not null;

-- What was announced to be uploaded for an import. Who imports it in time has it among the sweep's bytes.
create table announced_uploads (
    token_id      text    not null references tokens (id),
    sha256        text    not null,
    bytes         integer not null,
    announced_ms  integer not null,
    primary key (token_id, sha256)
) strict, without rowid;
