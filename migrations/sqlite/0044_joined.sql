-- Runs that join a group of their worker that trains already take no slot of their own.
alter table attempts add column joined text; -- the group that it joined, as CLAIM/GROUP; null: it is of the group of its own claim
