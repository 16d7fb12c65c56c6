SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET transaction_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
SET default_tablespace = '';
SET default_table_access_method = heap;
CREATE TABLE public._sqlx_migrations (
    version bigint NOT NULL,
    description text NOT NULL,
    installed_on timestamp with time zone DEFAULT now() NOT NULL,
    success boolean NOT NULL,
    checksum bytea NOT NULL,
    execution_time bigint NOT NULL
);
CREATE TABLE public.attempts (
    run_id bigint NOT NULL,
    number bigint NOT NULL,
    worker_id text NOT NULL,
    claim_id text NOT NULL,
    claim_group bigint NOT NULL,
    started_ms bigint NOT NULL,
    acked_seq bigint DEFAULT 0 NOT NULL,
    replay_mismatches bigint DEFAULT 0 NOT NULL,
    ended_ms bigint,
    outcome text,
    message text,
    CONSTRAINT attempts_outcome_check CHECK ((outcome = ANY (ARRAY['completed'::text, 'failed'::text, 'diverged'::text, 'released'::text, 'lost'::text])))
);
CREATE TABLE public.blobs (
    sha256 text NOT NULL,
    bytes bigint NOT NULL,
    last_used_ms bigint NOT NULL,
    state text DEFAULT 'stored'::text NOT NULL,
    CONSTRAINT blobs_state_check CHECK ((state = ANY (ARRAY['stored'::text, 'deleting'::text])))
);
CREATE TABLE public.checkpoints (
    run_id bigint NOT NULL,
    step bigint NOT NULL,
    sha256 text NOT NULL,
    bytes bigint NOT NULL,
    attempt bigint NOT NULL,
    committed_ms bigint NOT NULL,
    state text DEFAULT 'committed'::text NOT NULL,
    reason text,
    CONSTRAINT checkpoints_state_check CHECK ((state = ANY (ARRAY['committed'::text, 'rejected'::text])))
);
CREATE TABLE public.cordons (
    worker_name text NOT NULL,
    drain boolean NOT NULL,
    since_ms bigint NOT NULL
);
CREATE TABLE public.events (
    sweep_id bigint NOT NULL,
    number bigint NOT NULL,
    at_ms bigint NOT NULL,
    run_id bigint NOT NULL,
    state text NOT NULL,
    attempt bigint NOT NULL,
    worker text,
    message text
);
CREATE TABLE public.identity (
    id text NOT NULL
);
CREATE TABLE public.metrics (
    run_id bigint NOT NULL,
    name text NOT NULL,
    step bigint NOT NULL,
    value double precision NOT NULL,
    attempt bigint NOT NULL
);
CREATE TABLE public.runs (
    id bigint NOT NULL,
    sweep_id bigint NOT NULL,
    seed bigint NOT NULL,
    config text NOT NULL,
    config_hash text NOT NULL,
    shape_key text NOT NULL,
    dataset text NOT NULL,
    batch bigint NOT NULL,
    total_steps bigint NOT NULL,
    idx bigint NOT NULL,
    in_plan boolean NOT NULL,
    state text DEFAULT 'queued'::text NOT NULL,
    attempt bigint DEFAULT 0 NOT NULL,
    worker_id text,
    lease_expires_ms bigint,
    step bigint DEFAULT 0 NOT NULL,
    failures bigint DEFAULT 0 NOT NULL,
    message text,
    finished_ms bigint,
    desired text,
    losses bigint DEFAULT 0 NOT NULL,
    void_attempts bigint DEFAULT 0 NOT NULL,
    CONSTRAINT runs_check CHECK (((state = 'running'::text) = (lease_expires_ms IS NOT NULL))),
    CONSTRAINT runs_desired_check CHECK ((desired = ANY (ARRAY['cancelled'::text, 'paused'::text]))),
    CONSTRAINT runs_state_check CHECK ((state = ANY (ARRAY['queued'::text, 'running'::text, 'paused'::text, 'completed'::text, 'stopped'::text, 'diverged'::text, 'failed'::text, 'lost'::text, 'cancelled'::text])))
);
CREATE TABLE public.summaries (
    run_id bigint NOT NULL,
    name text NOT NULL,
    last_step bigint NOT NULL,
    last double precision NOT NULL,
    min double precision NOT NULL,
    max double precision NOT NULL,
    sum double precision NOT NULL,
    count bigint NOT NULL
);
CREATE TABLE public.sweeps (
    id bigint NOT NULL,
    name text NOT NULL,
    submitted_ms bigint NOT NULL,
    source text NOT NULL,
    description text NOT NULL,
    tags text NOT NULL,
    priority bigint NOT NULL,
    max_concurrent bigint,
    max_restarts bigint NOT NULL,
    checkpoint_kimg double precision,
    max_lost_workers bigint DEFAULT 3 NOT NULL,
    max_failed_runs bigint,
    paused text,
    failed_at_resume bigint DEFAULT 0 NOT NULL,
    last_event bigint DEFAULT 0 NOT NULL
);
CREATE VIEW public.results AS
 SELECT s.name AS sweep,
    r.config,
    m.name AS metric,
    count(*) AS n,
    avg(m.last) AS mean,
    sqrt(GREATEST((0.0)::double precision, (avg((m.last * m.last)) - (avg(m.last) * avg(m.last))))) AS std
   FROM ((public.runs r
     JOIN public.sweeps s ON ((s.id = r.sweep_id)))
     JOIN public.summaries m ON ((m.run_id = r.id)))
  WHERE (r.in_plan AND (r.state = 'completed'::text))
  GROUP BY s.name, r.config, m.name;
ALTER TABLE public.runs ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.runs_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.workers (
    id text NOT NULL,
    registered_ms bigint NOT NULL,
    name text NOT NULL,
    version text NOT NULL,
    hardware text NOT NULL,
    slots bigint NOT NULL,
    datasets text NOT NULL,
    last_seen_ms bigint NOT NULL,
    claims bigint DEFAULT 0 NOT NULL
);
CREATE VIEW public.runs_wide AS
 SELECT s.name AS sweep,
    r.idx,
    r.id AS run,
    r.state,
    r.desired,
    r.seed,
    r.config,
    r.attempt,
    r.step,
    r.total_steps,
    r.failures,
    r.losses,
    r.message,
    w.name AS worker,
    ( SELECT json_object_agg(m.name, m.last) AS json_object_agg
           FROM public.summaries m
          WHERE (m.run_id = r.id)) AS last_values
   FROM ((public.runs r
     JOIN public.sweeps s ON ((s.id = r.sweep_id)))
     LEFT JOIN public.workers w ON ((w.id = r.worker_id)))
  WHERE r.in_plan;
ALTER TABLE public.sweeps ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.sweeps_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
INSERT INTO public._sqlx_migrations VALUES (1, 'initial', '2026-11-26 19:03:42.68708+00', true, '\x2b80fb76137ba8ed756bb5c4eca6aefd2949772955b8e5fe4cd6298905fed3139ff6f7f5fbf23b9ea8b365855f1c6b2e', 55801766);
INSERT INTO public._sqlx_migrations VALUES (2, 'control', '2026-11-26 19:03:42.746275+00', true, '\x36d57613c42102019556b4830de7e48c3d1b01858422d45965a23e6b9fb0fc033c70fa16a9d3616d8a19d036ae0c166b', 36551895);
INSERT INTO public._sqlx_migrations VALUES (3, 'identity', '2026-11-26 19:03:42.786668+00', true, '\xead0d4f5534c0e8e5d9caabf20f51bfc4f1c2112d44cadae457f5e47cf8c6712204987e75557b962936bcbdff271b42a', 12008101);
INSERT INTO public._sqlx_migrations VALUES (4, 'claims', '2026-11-26 19:03:42.81075+00', true, '\x5342b4a78154447f46d506ce93f1334fa730326004ee0a36a0884a6d8d4261fa3b8a4f9f62c159063d710538dbf85b67', 4055629);
INSERT INTO public.attempts VALUES (1, 1, '6e1c07ca-7395-4b6d-922d-c320b64b183c', '4d4a19c7-547f-41b6-84fc-aca4eb15b998', 0, 1795719823113, 12, 0, 1795719827623, 'completed', NULL);
INSERT INTO public.attempts VALUES (2, 1, '6e1c07ca-7395-4b6d-922d-c320b64b183c', '8fc77bf6-eea3-400c-a997-cbbc2bbb8092', 0, 1795719827762, 18, 0, 1795719833596, 'completed', NULL);
INSERT INTO public.attempts VALUES (3, 1, '6e1c07ca-7395-4b6d-922d-c320b64b183c', 'e3ce1aca-56e4-466d-aaee-872c1c7bb795', 0, 1795719833906, 12, 0, 1795719838142, 'completed', NULL);
INSERT INTO public.attempts VALUES (4, 1, '6e1c07ca-7395-4b6d-922d-c320b64b183c', 'd973ee53-55c0-4556-958b-4c21dcfbc240', 0, 1795719838191, 18, 0, 1795719842106, 'completed', NULL);
INSERT INTO public.blobs VALUES ('fb094748316c568d271fce995b373d53e0a33403691f271409822ae9e1028949', 27452, 1795719827085, 'stored');
INSERT INTO public.blobs VALUES ('0ac509ad75a48322c28282606012303f4ce217d331a178d0659d089706729be8', 40972, 1795719832430, 'stored');
INSERT INTO public.blobs VALUES ('88e43943e2c7073721b6a85b492f6634b321d789cb47569789dac132d81835a3', 41076, 1795719833572, 'stored');
INSERT INTO public.blobs VALUES ('142f4bf8587540e1eb46ee15206d618342066f2a33181a01a5c8aec855bdcee9', 27364, 1795719837721, 'stored');
INSERT INTO public.blobs VALUES ('8641605199fd9024d42c387a419b90a153daf43493e70719073b34f4a15a189b', 27468, 1795719838124, 'stored');
INSERT INTO public.blobs VALUES ('39d737ed8a6130e2cc8f32ccf242a85fb1876c374b0e8911d37f5decc7282efe', 40988, 1795719841814, 'stored');
INSERT INTO public.blobs VALUES ('fbd147fcbecb944269b65cc3a398f012bb5002e628a243897ab77e466d5c1e02', 41084, 1795719842082, 'stored');
INSERT INTO public.checkpoints VALUES (1, 16, 'fb094748316c568d271fce995b373d53e0a33403691f271409822ae9e1028949', 27452, 1, 1795719827085, 'committed', NULL);
INSERT INTO public.checkpoints VALUES (2, 8, '0ac509ad75a48322c28282606012303f4ce217d331a178d0659d089706729be8', 40972, 1, 1795719832430, 'committed', NULL);
INSERT INTO public.checkpoints VALUES (2, 16, '88e43943e2c7073721b6a85b492f6634b321d789cb47569789dac132d81835a3', 41076, 1, 1795719833572, 'committed', NULL);
INSERT INTO public.checkpoints VALUES (3, 8, '142f4bf8587540e1eb46ee15206d618342066f2a33181a01a5c8aec855bdcee9', 27364, 1, 1795719837721, 'committed', NULL);
INSERT INTO public.checkpoints VALUES (3, 16, '8641605199fd9024d42c387a419b90a153daf43493e70719073b34f4a15a189b', 27468, 1, 1795719838124, 'committed', NULL);
INSERT INTO public.checkpoints VALUES (4, 8, '39d737ed8a6130e2cc8f32ccf242a85fb1876c374b0e8911d37f5decc7282efe', 40988, 1, 1795719841814, 'committed', NULL);
INSERT INTO public.checkpoints VALUES (4, 16, 'fbd147fcbecb944269b65cc3a398f012bb5002e628a243897ab77e466d5c1e02', 41084, 1, 1795719842082, 'committed', NULL);
INSERT INTO public.events VALUES (1, 1, 1795719823113, 1, 'running', 1, 'vm', NULL);
INSERT INTO public.events VALUES (1, 2, 1795719827623, 1, 'completed', 1, 'vm', NULL);
INSERT INTO public.events VALUES (1, 3, 1795719827762, 2, 'running', 1, 'vm', NULL);
INSERT INTO public.events VALUES (1, 4, 1795719833596, 2, 'completed', 1, 'vm', NULL);
INSERT INTO public.events VALUES (1, 5, 1795719833906, 3, 'running', 1, 'vm', NULL);
INSERT INTO public.events VALUES (1, 6, 1795719838142, 3, 'completed', 1, 'vm', NULL);
INSERT INTO public.events VALUES (1, 7, 1795719838191, 4, 'running', 1, 'vm', NULL);
INSERT INTO public.events VALUES (1, 8, 1795719842106, 4, 'completed', 1, 'vm', NULL);
INSERT INTO public.identity VALUES ('2ddfb963537b4254ae4fa92df494743c');
INSERT INTO public.metrics VALUES (1, 'train/loss_ae', 8, 0.5259251594543457, 1);
INSERT INTO public.metrics VALUES (1, 'train/loss_classifier', 8, 2.28781795501709, 1);
INSERT INTO public.metrics VALUES (1, 'eval/latent_accuracy', 8, 10, 1);
INSERT INTO public.metrics VALUES (1, 'eval/reconstruction_mse', 8, 0.5107703821718141, 1);
INSERT INTO public.metrics VALUES (1, 'train/loss_ae', 16, 0.4388335347175598, 1);
INSERT INTO public.metrics VALUES (1, 'train/loss_classifier', 16, 2.3419089317321777, 1);
INSERT INTO public.metrics VALUES (1, 'eval/latent_accuracy', 16, 10.277777777777779, 1);
INSERT INTO public.metrics VALUES (1, 'eval/reconstruction_mse', 16, 0.4552579157841464, 1);
INSERT INTO public.metrics VALUES (1, 'eval/clustering_accuracy', 16, 63.611111111111114, 1);
INSERT INTO public.metrics VALUES (1, 'final/clustering_accuracy', 16, 63.611111111111114, 1);
INSERT INTO public.metrics VALUES (1, 'final/latent_accuracy', 16, 10.13888888888889, 1);
INSERT INTO public.metrics VALUES (1, 'final/reconstruction_mse', 16, 0.4830141489779803, 1);
INSERT INTO public.metrics VALUES (2, 'train/loss_ae', 8, 0.5259251594543457, 1);
INSERT INTO public.metrics VALUES (2, 'train/loss_ae_disc', 8, 0.028875602409243584, 1);
INSERT INTO public.metrics VALUES (2, 'train/loss_classifier', 8, 2.28781795501709, 1);
INSERT INTO public.metrics VALUES (2, 'train/loss_disc', 8, 0.03372429683804512, 1);
INSERT INTO public.metrics VALUES (2, 'train/loss_disc_real', 8, 0.02886798419058323, 1);
INSERT INTO public.metrics VALUES (2, 'eval/latent_accuracy', 8, 10, 1);
INSERT INTO public.metrics VALUES (2, 'eval/reconstruction_mse', 8, 0.5107703705300392, 1);
INSERT INTO public.metrics VALUES (2, 'train/loss_ae', 16, 0.43883344531059265, 1);
INSERT INTO public.metrics VALUES (2, 'train/loss_ae_disc', 16, 0.010771230794489384, 1);
INSERT INTO public.metrics VALUES (2, 'train/loss_classifier', 16, 2.341900587081909, 1);
INSERT INTO public.metrics VALUES (2, 'train/loss_disc', 16, 0.025503376498818398, 1);
INSERT INTO public.metrics VALUES (2, 'train/loss_disc_real', 16, 0.010769479908049107, 1);
INSERT INTO public.metrics VALUES (2, 'eval/latent_accuracy', 16, 10.277777777777779, 1);
INSERT INTO public.metrics VALUES (2, 'eval/reconstruction_mse', 16, 0.45525784999946967, 1);
INSERT INTO public.metrics VALUES (2, 'eval/clustering_accuracy', 16, 62.5, 1);
INSERT INTO public.metrics VALUES (2, 'final/clustering_accuracy', 16, 62.5, 1);
INSERT INTO public.metrics VALUES (2, 'final/latent_accuracy', 16, 10.13888888888889, 1);
INSERT INTO public.metrics VALUES (2, 'final/reconstruction_mse', 16, 0.4830141102647544, 1);
INSERT INTO public.metrics VALUES (3, 'train/loss_ae', 8, 0.4508746862411499, 1);
INSERT INTO public.metrics VALUES (3, 'train/loss_classifier', 8, 2.391488552093506, 1);
INSERT INTO public.metrics VALUES (3, 'eval/latent_accuracy', 8, 14.444444444444445, 1);
INSERT INTO public.metrics VALUES (3, 'eval/reconstruction_mse', 8, 0.45473691354701423, 1);
INSERT INTO public.metrics VALUES (3, 'train/loss_ae', 16, 0.3651319742202759, 1);
INSERT INTO public.metrics VALUES (3, 'train/loss_classifier', 16, 2.25063157081604, 1);
INSERT INTO public.metrics VALUES (3, 'eval/latent_accuracy', 16, 19.72222222222222, 1);
INSERT INTO public.metrics VALUES (3, 'eval/reconstruction_mse', 16, 0.37496432885665393, 1);
INSERT INTO public.metrics VALUES (3, 'eval/clustering_accuracy', 16, 60.833333333333336, 1);
INSERT INTO public.metrics VALUES (3, 'final/clustering_accuracy', 16, 60.833333333333336, 1);
INSERT INTO public.metrics VALUES (3, 'final/latent_accuracy', 16, 17.083333333333332, 1);
INSERT INTO public.metrics VALUES (3, 'final/reconstruction_mse', 16, 0.4148506212018341, 1);
INSERT INTO public.metrics VALUES (4, 'train/loss_ae', 8, 0.4508522152900696, 1);
INSERT INTO public.metrics VALUES (4, 'train/loss_ae_disc', 8, 0.025606678798794746, 1);
INSERT INTO public.metrics VALUES (4, 'train/loss_classifier', 8, 2.3924524784088135, 1);
INSERT INTO public.metrics VALUES (4, 'train/loss_disc', 8, 0.027922211214900017, 1);
INSERT INTO public.metrics VALUES (4, 'train/loss_disc_real', 8, 0.025600429624319077, 1);
INSERT INTO public.metrics VALUES (4, 'eval/latent_accuracy', 8, 14.166666666666666, 1);
INSERT INTO public.metrics VALUES (4, 'eval/reconstruction_mse', 8, 0.454880391891392, 1);
INSERT INTO public.metrics VALUES (4, 'train/loss_ae', 16, 0.3650629222393036, 1);
INSERT INTO public.metrics VALUES (4, 'train/loss_ae_disc', 16, 0.014265402220189571, 1);
INSERT INTO public.metrics VALUES (4, 'train/loss_classifier', 16, 2.2504820823669434, 1);
INSERT INTO public.metrics VALUES (4, 'train/loss_disc', 16, 0.05571995675563812, 1);
INSERT INTO public.metrics VALUES (4, 'train/loss_disc_real', 16, 0.014267589896917343, 1);
INSERT INTO public.metrics VALUES (4, 'eval/latent_accuracy', 16, 20.555555555555557, 1);
INSERT INTO public.metrics VALUES (4, 'eval/reconstruction_mse', 16, 0.3749413010648018, 1);
INSERT INTO public.metrics VALUES (4, 'eval/clustering_accuracy', 16, 62.5, 1);
INSERT INTO public.metrics VALUES (4, 'final/clustering_accuracy', 16, 62.5, 1);
INSERT INTO public.metrics VALUES (4, 'final/latent_accuracy', 16, 17.36111111111111, 1);
INSERT INTO public.metrics VALUES (4, 'final/reconstruction_mse', 16, 0.4149108464780969, 1);
INSERT INTO public.runs OVERRIDING SYSTEM VALUE VALUES (3, 1, 1, '{"model":"acai","dataset":"digits32","lambda":0.0,"gamma":0.2,"lr":0.01,"batch":32,"depth":1,"latent":2,"latent_width":4,"advdepth":1,"total_kimg":0.5,"eval_kimg":0.25,"precision":"fp32","kmeans_inits":2}', '7f6040170f56ea7d390943fb8ec7a517392fe233b02eb8b0653aa939e0daa1a6', '6a6f0f15ac9753063441699e3e1f0a6aec54319eb7e99a8b7471fe4fb8b3cce5', 'digits32', 32, 16, 2, true, 'completed', 1, '6e1c07ca-7395-4b6d-922d-c320b64b183c', NULL, 16, 0, NULL, 1795719838142, NULL, 0, 0);
INSERT INTO public.runs OVERRIDING SYSTEM VALUE VALUES (2, 1, 0, '{"model":"acai","dataset":"digits32","lambda":0.5,"gamma":0.2,"lr":0.01,"batch":32,"depth":1,"latent":2,"latent_width":4,"advdepth":1,"total_kimg":0.5,"eval_kimg":0.25,"precision":"fp32","kmeans_inits":2}', 'd93539a2ebffa02e2444a516edfeb7fcecc85326c5ce6f8257324a1a93c4f14b', 'd8ae7ed5ae3991f1ba5629e91c9294a15a5eb24ef5034cddf5fd9a27db24509b', 'digits32', 32, 16, 1, true, 'completed', 1, '6e1c07ca-7395-4b6d-922d-c320b64b183c', NULL, 16, 0, NULL, 1795719833596, NULL, 0, 0);
INSERT INTO public.runs OVERRIDING SYSTEM VALUE VALUES (1, 1, 0, '{"model":"acai","dataset":"digits32","lambda":0.0,"gamma":0.2,"lr":0.01,"batch":32,"depth":1,"latent":2,"latent_width":4,"advdepth":1,"total_kimg":0.5,"eval_kimg":0.25,"precision":"fp32","kmeans_inits":2}', '7f6040170f56ea7d390943fb8ec7a517392fe233b02eb8b0653aa939e0daa1a6', '6a6f0f15ac9753063441699e3e1f0a6aec54319eb7e99a8b7471fe4fb8b3cce5', 'digits32', 32, 16, 0, true, 'completed', 1, '6e1c07ca-7395-4b6d-922d-c320b64b183c', NULL, 16, 0, NULL, 1795719827623, NULL, 0, 0);
INSERT INTO public.runs OVERRIDING SYSTEM VALUE VALUES (4, 1, 1, '{"model":"acai","dataset":"digits32","lambda":0.5,"gamma":0.2,"lr":0.01,"batch":32,"depth":1,"latent":2,"latent_width":4,"advdepth":1,"total_kimg":0.5,"eval_kimg":0.25,"precision":"fp32","kmeans_inits":2}', 'd93539a2ebffa02e2444a516edfeb7fcecc85326c5ce6f8257324a1a93c4f14b', 'd8ae7ed5ae3991f1ba5629e91c9294a15a5eb24ef5034cddf5fd9a27db24509b', 'digits32', 32, 16, 3, true, 'completed', 1, '6e1c07ca-7395-4b6d-922d-c320b64b183c', NULL, 16, 0, NULL, 1795719842106, NULL, 0, 0);
INSERT INTO public.summaries VALUES (1, 'eval/latent_accuracy', 16, 10.277777777777779, 10, 10.277777777777779, 20.27777777777778, 2);
INSERT INTO public.summaries VALUES (1, 'eval/reconstruction_mse', 16, 0.4552579157841464, 0.4552579157841464, 0.5107703821718141, 0.9660282979559606, 2);
INSERT INTO public.summaries VALUES (1, 'train/loss_ae', 16, 0.4388335347175598, 0.4388335347175598, 0.5259251594543457, 0.9647586941719055, 2);
INSERT INTO public.summaries VALUES (1, 'train/loss_classifier', 16, 2.3419089317321777, 2.28781795501709, 2.3419089317321777, 4.629726886749268, 2);
INSERT INTO public.summaries VALUES (1, 'eval/clustering_accuracy', 16, 63.611111111111114, 63.611111111111114, 63.611111111111114, 63.611111111111114, 1);
INSERT INTO public.summaries VALUES (1, 'final/clustering_accuracy', 16, 63.611111111111114, 63.611111111111114, 63.611111111111114, 63.611111111111114, 1);
INSERT INTO public.summaries VALUES (1, 'final/latent_accuracy', 16, 10.13888888888889, 10.13888888888889, 10.13888888888889, 10.13888888888889, 1);
INSERT INTO public.summaries VALUES (1, 'final/reconstruction_mse', 16, 0.4830141489779803, 0.4830141489779803, 0.4830141489779803, 0.4830141489779803, 1);
INSERT INTO public.summaries VALUES (2, 'eval/clustering_accuracy', 16, 62.5, 62.5, 62.5, 62.5, 1);
INSERT INTO public.summaries VALUES (2, 'eval/latent_accuracy', 16, 10.277777777777779, 10, 10.277777777777779, 20.27777777777778, 2);
INSERT INTO public.summaries VALUES (2, 'eval/reconstruction_mse', 16, 0.45525784999946967, 0.45525784999946967, 0.5107703705300392, 0.9660282205295088, 2);
INSERT INTO public.summaries VALUES (2, 'final/clustering_accuracy', 16, 62.5, 62.5, 62.5, 62.5, 1);
INSERT INTO public.summaries VALUES (2, 'final/latent_accuracy', 16, 10.13888888888889, 10.13888888888889, 10.13888888888889, 10.13888888888889, 1);
INSERT INTO public.summaries VALUES (2, 'final/reconstruction_mse', 16, 0.4830141102647544, 0.4830141102647544, 0.4830141102647544, 0.4830141102647544, 1);
INSERT INTO public.summaries VALUES (2, 'train/loss_ae', 16, 0.43883344531059265, 0.43883344531059265, 0.5259251594543457, 0.9647586047649384, 2);
INSERT INTO public.summaries VALUES (2, 'train/loss_ae_disc', 16, 0.010771230794489384, 0.010771230794489384, 0.028875602409243584, 0.03964683320373297, 2);
INSERT INTO public.summaries VALUES (2, 'train/loss_classifier', 16, 2.341900587081909, 2.28781795501709, 2.341900587081909, 4.629718542098999, 2);
INSERT INTO public.summaries VALUES (2, 'train/loss_disc', 16, 0.025503376498818398, 0.025503376498818398, 0.03372429683804512, 0.05922767333686352, 2);
INSERT INTO public.summaries VALUES (2, 'train/loss_disc_real', 16, 0.010769479908049107, 0.010769479908049107, 0.02886798419058323, 0.039637464098632336, 2);
INSERT INTO public.summaries VALUES (3, 'eval/latent_accuracy', 16, 19.72222222222222, 14.444444444444445, 19.72222222222222, 34.166666666666664, 2);
INSERT INTO public.summaries VALUES (3, 'eval/reconstruction_mse', 16, 0.37496432885665393, 0.37496432885665393, 0.45473691354701423, 0.8297012424036682, 2);
INSERT INTO public.summaries VALUES (3, 'train/loss_ae', 16, 0.3651319742202759, 0.3651319742202759, 0.4508746862411499, 0.8160066604614258, 2);
INSERT INTO public.summaries VALUES (3, 'train/loss_classifier', 16, 2.25063157081604, 2.25063157081604, 2.391488552093506, 4.642120122909546, 2);
INSERT INTO public.summaries VALUES (3, 'eval/clustering_accuracy', 16, 60.833333333333336, 60.833333333333336, 60.833333333333336, 60.833333333333336, 1);
INSERT INTO public.summaries VALUES (3, 'final/clustering_accuracy', 16, 60.833333333333336, 60.833333333333336, 60.833333333333336, 60.833333333333336, 1);
INSERT INTO public.summaries VALUES (3, 'final/latent_accuracy', 16, 17.083333333333332, 17.083333333333332, 17.083333333333332, 17.083333333333332, 1);
INSERT INTO public.summaries VALUES (3, 'final/reconstruction_mse', 16, 0.4148506212018341, 0.4148506212018341, 0.4148506212018341, 0.4148506212018341, 1);
INSERT INTO public.summaries VALUES (4, 'eval/clustering_accuracy', 16, 62.5, 62.5, 62.5, 62.5, 1);
INSERT INTO public.summaries VALUES (4, 'eval/latent_accuracy', 16, 20.555555555555557, 14.166666666666666, 20.555555555555557, 34.72222222222222, 2);
INSERT INTO public.summaries VALUES (4, 'eval/reconstruction_mse', 16, 0.3749413010648018, 0.3749413010648018, 0.454880391891392, 0.8298216929561938, 2);
INSERT INTO public.summaries VALUES (4, 'final/clustering_accuracy', 16, 62.5, 62.5, 62.5, 62.5, 1);
INSERT INTO public.summaries VALUES (4, 'final/latent_accuracy', 16, 17.36111111111111, 17.36111111111111, 17.36111111111111, 17.36111111111111, 1);
INSERT INTO public.summaries VALUES (4, 'final/reconstruction_mse', 16, 0.4149108464780969, 0.4149108464780969, 0.4149108464780969, 0.4149108464780969, 1);
INSERT INTO public.summaries VALUES (4, 'train/loss_ae', 16, 0.3650629222393036, 0.3650629222393036, 0.4508522152900696, 0.8159151375293732, 2);
INSERT INTO public.summaries VALUES (4, 'train/loss_ae_disc', 16, 0.014265402220189571, 0.014265402220189571, 0.025606678798794746, 0.03987208101898432, 2);
INSERT INTO public.summaries VALUES (4, 'train/loss_classifier', 16, 2.2504820823669434, 2.2504820823669434, 2.3924524784088135, 4.642934560775757, 2);
INSERT INTO public.summaries VALUES (4, 'train/loss_disc', 16, 0.05571995675563812, 0.027922211214900017, 0.05571995675563812, 0.08364216797053814, 2);
INSERT INTO public.summaries VALUES (4, 'train/loss_disc_real', 16, 0.014267589896917343, 0.014267589896917343, 0.025600429624319077, 0.03986801952123642, 2);
INSERT INTO public.sweeps OVERRIDING SYSTEM VALUE VALUES (1, 'finished', 1795719822866, 'version: 1
name: finished
metric: {name: eval/latent_accuracy, goal: maximize}
parameters:
  model: acai
  dataset: digits32
  lambda: [0, 0.5]
  depth: 1
  latent: 2
  lr: 0.01
  batch: 32
  total_kimg: 0.5
  eval_kimg: 0.25
  kmeans_inits: 2
seeds: 2
', '', '[]', 0, NULL, 3, NULL, 3, NULL, NULL, 0, 8);
INSERT INTO public.workers VALUES ('6e1c07ca-7395-4b6d-922d-c320b64b183c', 1795719823090, 'vm', '0.1.0', '{"cores":2,"cpu":"AMD EPYC","gpus":[],"host":"vm","memory_bytes":25276502016}', 1, '["lines32","digits32"]', 1795719843250, 6);
SELECT pg_catalog.setval('public.runs_id_seq', 4, true);
SELECT pg_catalog.setval('public.sweeps_id_seq', 1, true);
ALTER TABLE ONLY public._sqlx_migrations
    ADD CONSTRAINT _sqlx_migrations_pkey PRIMARY KEY (version);
ALTER TABLE ONLY public.attempts
    ADD CONSTRAINT attempts_pkey PRIMARY KEY (run_id, number);
ALTER TABLE ONLY public.blobs
    ADD CONSTRAINT blobs_pkey PRIMARY KEY (sha256);
ALTER TABLE ONLY public.checkpoints
    ADD CONSTRAINT checkpoints_pkey PRIMARY KEY (run_id, step);
ALTER TABLE ONLY public.cordons
    ADD CONSTRAINT cordons_pkey PRIMARY KEY (worker_name);
ALTER TABLE ONLY public.events
    ADD CONSTRAINT events_pkey PRIMARY KEY (sweep_id, number);
ALTER TABLE ONLY public.identity
    ADD CONSTRAINT identity_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.metrics
    ADD CONSTRAINT metrics_pkey PRIMARY KEY (run_id, name, step);
ALTER TABLE ONLY public.runs
    ADD CONSTRAINT runs_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.runs
    ADD CONSTRAINT runs_sweep_id_config_hash_seed_key UNIQUE (sweep_id, config_hash, seed);
ALTER TABLE ONLY public.summaries
    ADD CONSTRAINT summaries_pkey PRIMARY KEY (run_id, name);
ALTER TABLE ONLY public.sweeps
    ADD CONSTRAINT sweeps_name_key UNIQUE (name);
ALTER TABLE ONLY public.sweeps
    ADD CONSTRAINT sweeps_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.workers
    ADD CONSTRAINT workers_pkey PRIMARY KEY (id);
CREATE INDEX attempts_claims ON public.attempts USING btree (claim_id);
CREATE INDEX checkpoints_of_blobs ON public.checkpoints USING btree (sha256);
CREATE INDEX events_of_runs ON public.events USING btree (run_id, number);
CREATE INDEX runs_leases ON public.runs USING btree (lease_expires_ms) WHERE (state = 'running'::text);
CREATE INDEX runs_queue ON public.runs USING btree (sweep_id, state, in_plan, idx);
ALTER TABLE ONLY public.attempts
    ADD CONSTRAINT attempts_run_id_fkey FOREIGN KEY (run_id) REFERENCES public.runs(id);
ALTER TABLE ONLY public.attempts
    ADD CONSTRAINT attempts_worker_id_fkey FOREIGN KEY (worker_id) REFERENCES public.workers(id);
ALTER TABLE ONLY public.checkpoints
    ADD CONSTRAINT checkpoints_run_id_fkey FOREIGN KEY (run_id) REFERENCES public.runs(id);
ALTER TABLE ONLY public.checkpoints
    ADD CONSTRAINT checkpoints_sha256_fkey FOREIGN KEY (sha256) REFERENCES public.blobs(sha256);
ALTER TABLE ONLY public.events
    ADD CONSTRAINT events_run_id_fkey FOREIGN KEY (run_id) REFERENCES public.runs(id);
ALTER TABLE ONLY public.events
    ADD CONSTRAINT events_sweep_id_fkey FOREIGN KEY (sweep_id) REFERENCES public.sweeps(id);
ALTER TABLE ONLY public.metrics
    ADD CONSTRAINT metrics_run_id_fkey FOREIGN KEY (run_id) REFERENCES public.runs(id);
ALTER TABLE ONLY public.runs
    ADD CONSTRAINT runs_sweep_id_fkey FOREIGN KEY (sweep_id) REFERENCES public.sweeps(id);
ALTER TABLE ONLY public.runs
    ADD CONSTRAINT runs_worker_id_fkey FOREIGN KEY (worker_id) REFERENCES public.workers(id);
ALTER TABLE ONLY public.summaries
    ADD CONSTRAINT summaries_run_id_fkey FOREIGN KEY (run_id) REFERENCES public.runs(id);
