-- The number of a sweep's last event follows from the events that are added: whoever adds events says no more.
create function note_last_event() returns trigger language plpgsql as $$
begin
    update sweeps s set last_event = greatest(s.last_event, n.number)
    from (select sweep_id, max(number) as number from added group by sweep_id) as n
    where s.id = n.sweep_id;
    return null;
end
$$;

create trigger last_event_of_sweeps after insert on events
    referencing new table as added for each statement execute function note_last_event();
