-- Where the blobs are kept, so that every coordinator that opens the database finds them.
alter table identity add column blobs text; -- as a coordinator was told, a folder below the database's own relative to that; null: not known yet
