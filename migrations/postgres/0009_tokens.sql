-- An attempt is known by a random token as well as by its number: a worker of another database, or of an older state of
-- this one, has attempts with the same numbers.

alter table attempts add column token bigint;   -- the u64's bits; null: granted by version 0.1.0, matches every token
alter table runs add column token bigint;       -- of the attempt that last held the run
