-- Claims are numbered, so that one that arrives late, when its worker no longer waits for it, is given nothing.

alter table workers add column claims bigint  not null default 0; -- the highest number of a claim that was answered
