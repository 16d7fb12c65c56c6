-- Who may do what: of each token its digest, so that nobody who reads this can use one.
create table tokens (
    id            text   not null primary key,  -- a part of the token, by which it is named
    name          text   not null,              -- for whom, in people's words
    scope         text   not null check (scope in ('read', 'submit', 'worker', 'admin')),
    digest        blob   not null,              -- SHA-256 of the secret
    created_ms    integer not null,
    expires_ms    integer,                       -- null: never
    revoked_ms    integer,                       -- null: it is not
    used_ms       integer                        -- about when it was last used; null: not yet
) strict;

-- The certificate authority of all coordinators of this database. Whoever has the key can pretend to be one of them.
create table authority (
    one           integer not null primary key check (one = 1),
    certificate   text   not null,              -- PEM
    private_key   text   not null               -- PEM
) strict;
