-- Runs that train the same but for how long: the longer goes on from a checkpoint of the shorter.
alter table runs add column lineage text; -- digest of the configuration without its length; null: added before there was this column, or of a trainer of one's own
create index runs_of_lineage on runs (sweep_id, lineage, seed) where attempt > 0;
