-- The number of a sweep's last event follows from the events that are added: whoever adds events says no more.
create trigger last_event_of_sweeps after insert on events
begin
    update sweeps set last_event = new.number where id = new.sweep_id and last_event < new.number;
end;
