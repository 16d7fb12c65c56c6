-- A blob's bytes are in a file whose name no other file has had: its SHA-256 and a random tag. The name is known from
-- before there is a file until nothing needs it, and then never again; so a file whose name is not known may be deleted at
-- any time.

alter table blobs add column tag text not null default ''; -- '': a file of before, named by its SHA-256 alone

-- Files that are being made, and belong to no blob yet.
create table uploads (
    sha256        text    not null,
    tag           text    not null,
    begun_ms      bigint  not null,
    primary key (sha256, tag)
);

-- What was marked for deletion is forgotten at once; its files are found as those that nobody knows.
delete from checkpoints where sha256 in (select sha256 from blobs where state = 'deleting');
delete from blobs where state = 'deleting';
alter table blobs drop column state;
