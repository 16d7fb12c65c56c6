-- A machine's faults are charged to nobody: what it could not train, and which of its slots rest for that.

alter table attempts add column machine_fault integer not null default 0 check (machine_fault in (0, 1)); -- 1: its machine could not train it, as the message says

alter table runs add column faults_after integer not null default 0; -- machine faults of attempts up to this one count no more
alter table runs add column alone integer not null default 0 check (alone in (0, 1)); -- 1: joins no group, since a trainer broke down with its group

alter table workers add column resting_slots integer not null default 0; -- slots that take no runs for a while
alter table workers add column resting text;            -- why the last of them does; null: none rests
