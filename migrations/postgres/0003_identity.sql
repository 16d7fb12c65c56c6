-- Which database this is: workers keep what they have of its runs apart from what they have of other databases' runs,
-- which have the same numbers.
create table identity (
    id            text    primary key           -- random
);

insert into identity (id) values (replace(gen_random_uuid()::text, '-', ''));
