-- While the certificate authority is exchanged, the next one: access files know both before coordinators show it.
alter table authority add column next_certificate text; -- PEM; null: it is not exchanged
alter table authority add column next_private_key text; -- PEM
