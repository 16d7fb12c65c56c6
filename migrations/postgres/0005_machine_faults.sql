-- A machine's faults are charged to nobody: what it could not train, and which of its slots rest for that.

alter table attempts add column machine_fault boolean not null default false; -- true: its machine could not train it, as the message says

alter table runs add column faults_after bigint  not null default 0; -- machine faults of attempts up to this one count no more
alter table runs add column alone boolean not null default false; -- true: joins no group, since a trainer broke down with its group

alter table workers add column resting_slots bigint  not null default 0; -- slots that take no runs for a while
alter table workers add column resting text;            -- why the last of them does; null: none rests
