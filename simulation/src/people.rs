//! People: they submit a sweep, change their minds, and wait for the end.

use std::future::Future;
use std::time::Duration;

use acai_proto::v1::control_service_client::ControlServiceClient;
use acai_proto::v1::sweep_service_client::SweepServiceClient;
use acai_proto::v1::{
    ExplainRequest, ForgetSweepRequest, ListRunsRequest, PauseRequest, RetryRequest, Run, RunState,
    Selection, SetLimitsRequest, SetWorkerDutyRequest, SubmitSweepRequest, WorkerDuty,
};
use tokio::time::{sleep, sleep_until, timeout};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};

use crate::journal::Journal;
use crate::network::{self, COORDINATOR, PORT};
use crate::plan::{AGENTS, CALM, Plan, SEEDS, What, Wish};
use crate::releases::Release;

/// The name of the sweep.
pub(crate) const SWEEP: &str = "simulated";
/// The name of the sweep that no agent can train.
const ELSEWHERE: &str = "elsewhere";
/// How often somebody asks why runs wait.
const CURIOSITY: Duration = Duration::from_secs(7);
const PATIENCE: Duration = Duration::from_secs(10);
/// Once faults have ended, everything ends within this time …
const BOUND: Duration = Duration::from_secs(45 * 60);
/// … and for each trainer that was slow in so much more: its steps take up to 30 s.
const BOUND_IF_SLOW: Duration = Duration::from_secs(32 * 60);
/// … and in so much more if checkpoints have no place any more: for that agents wait for half an hour, and two minutes for each run.
const BOUND_WITHOUT_DEPOT: Duration = Duration::from_secs(60 * 60);

/// A person at a terminal.
#[derive(Clone)]
pub(crate) struct Person {
    sweeps: SweepServiceClient<Channel>,
    control: ControlServiceClient<Channel>,
    journal: Journal,
    plan: Plan,
    /// The seeds of the last file.
    submitted: u32,
}

impl Person {
    pub(crate) fn new(plan: Plan, journal: Journal) -> Result<Person, tonic::transport::Error> {
        let endpoint =
            Endpoint::from_shared(format!("http://{COORDINATOR}:{PORT}"))?.connect_timeout(PATIENCE);
        // What release 0.1.0 says to people is read by nobody here.
        let release = match plan.release {
            Release::Next => Release::Next,
            Release::Same | Release::First => Release::Same,
        };
        let channel = network::open(&endpoint, "person", release, &journal);
        let (sweeps, control) =
            (SweepServiceClient::new(channel.clone()), ControlServiceClient::new(channel));
        Ok(Person { sweeps, control, journal, plan, submitted: SEEDS })
    }

    /// Does all that is planned, then waits until every run has ended.
    pub(crate) async fn live(mut self) {
        let begun = tokio::time::Instant::now();
        if self.plan.people_ask() {
            tokio::spawn(self.clone().ask());
        }
        self.submit(SEEDS).await;
        for fault in self.plan.faults.clone() {
            if let What::Person(wish) = fault.what {
                sleep_until(begun + fault.at).await;
                self.wish(wish).await;
            }
        }
        sleep_until(begun + CALM).await;
        if self.plan.has(|what| matches!(what, What::Restored { .. } | What::Replaced { .. })) {
            // The database may not know of it.
            self.submit(self.submitted).await;
        }
        if self.plan.has(|what| matches!(what, What::Person(Wish::SubmitElsewhere))) {
            self.cancel(ELSEWHERE, 0).await;
        }
        for agent in 0..self.plan.agents {
            self.wish(Wish::Open(agent)).await;
        }
        self.wish(Wish::Limit(0)).await;
        self.wish(Wish::Resume(0)).await;
        let takes_nothing = u32::from(self.plan.has(|what| *what == What::DepotTakesNothing));
        let bound = BOUND + BOUND_WITHOUT_DEPOT * takes_nothing;
        let bound = |journal: &Journal| bound + BOUND_IF_SLOW * journal.slow_trainers();
        let mut has_ended = self.all_ended().await;
        while !has_ended && begun.elapsed() < CALM + bound(&self.journal) {
            sleep(Duration::from_secs(5)).await;
            has_ended = self.all_ended().await;
        }
        if !has_ended {
            let open = self.runs().await.into_iter().filter(|run| !is_terminal(run));
            let open: Vec<String> =
                open.map(|run| format!("{} is {:?} ({})", run.number, run.state(), run.message)).collect();
            self.journal.violates(format!("not all runs ended: {}", open.join("; ")));
        }
        // Agents tidy up.
        sleep(Duration::from_secs(60)).await;
    }

    /// Submits a file for so many seeds, which may be refused where runs with results would be set aside.
    async fn submit(&mut self, seeds: u32) {
        self.submitted = seeds;
        let (sweeps, request) =
            (self.sweeps.clone(), SubmitSweepRequest { source: self.file(seeds), set_aside_results: false });
        insist("submit", async || sweeps.clone().submit_sweep(request.clone()).await).await;
    }

    /// Forgets the sweep, whose runs are cancelled for that, and submits its file again.
    async fn forget(&mut self) {
        let request = ForgetSweepRequest { sweep: SWEEP.to_owned(), dry_run: false };
        loop {
            self.cancel(SWEEP, 0).await;
            let refused =
                insist("forget", async || self.control.clone().forget_sweep(request.clone()).await).await;
            // As long as a run is being trained.
            if refused != Some(Code::OutOfRange) {
                break;
            }
            sleep(Duration::from_secs(2)).await;
        }
        self.submit(self.submitted).await;
    }

    /// Asks for ever why one run after the other waits. What the database knows of that is held against the truth there.
    async fn ask(mut self) {
        for turn in 0.. {
            sleep(CURIOSITY).await;
            let waiting: Vec<Run> =
                self.runs().await.into_iter().filter(|run| run.state() == RunState::Queued).collect();
            let Some(run) = waiting.get(turn % waiting.len().max(1)) else { continue };
            let request = ExplainRequest { sweep: SWEEP.to_owned(), number: run.number };
            let Ok(Ok(answer)) = timeout(PATIENCE, self.control.explain_run(request)).await else { continue };
            let missing =
                answer.into_inner().reasons.into_iter().find(|reason| reason.contains("is missing"));
            if let Some(untrue) = missing.filter(|_| !self.journal.may_miss_any()) {
                self.journal.violates(format!(
                    "no checkpoint is ever lost, and of run {} is told: {untrue}",
                    run.number
                ));
            }
        }
    }

    async fn cancel(&self, sweep: &str, run: u32) {
        let selection = selection(sweep, run);
        insist("cancel", async || self.control.clone().cancel_runs(selection.clone()).await).await;
    }

    async fn submit_elsewhere(&self) {
        let source = format!(
            "version: 1
name: {ELSEWHERE}
priority: 5
metric: {{name: eval/mean_distance, goal: minimize}}
parameters: {{model: acai, dataset: mnist32, depth: [8, 16], batch: 64, total_kimg: 4, eval_kimg: 1}}
seeds: [1]
"
        );
        let request = SubmitSweepRequest { source, set_aside_results: false };
        insist("submit", async || self.sweeps.clone().submit_sweep(request.clone()).await).await;
    }

    fn file(&self, seeds: u32) -> String {
        let (seeds, max_restarts) = ((1..=seeds).collect::<Vec<_>>(), self.plan.max_restarts);
        format!(
            "version: 1
name: {SWEEP}
metric: {{name: eval/mean_distance, goal: minimize}}
parameters: {{model: acai, dataset: lines32, lambda: [0.1, 0.5], depth: [8, 16], batch: 64, total_kimg: 4, eval_kimg: 1}}
seeds: {seeds:?}
checkpoint: {{every_kimg: 0.5}}
max_restarts: {max_restarts}
max_lost_workers: 1000
"
        )
    }

    async fn wish(&mut self, wish: Wish) {
        tracing::info!(target: "person", "wishes {wish:?}");
        let control = self.control.clone();
        let selection = |run: u32| selection(SWEEP, run);
        let duty = |agent: usize, duty: WorkerDuty| SetWorkerDutyRequest {
            worker: AGENTS[agent].to_owned(),
            duty: duty.into(),
        };
        match wish {
            Wish::Cancel(run) => self.cancel(SWEEP, run).await,
            Wish::Pause { run, now } => {
                insist("pause", async || {
                    control.clone().pause_runs(PauseRequest { runs: Some(selection(run)), now }).await
                })
                .await;
            }
            Wish::Resume(run) => {
                insist("resume", async || control.clone().resume_runs(selection(run)).await).await;
            }
            Wish::Retry { run, from_scratch } => {
                let request = RetryRequest { runs: Some(selection(run)), states: Vec::new(), from_scratch };
                insist("retry", async || control.clone().retry_runs(request.clone()).await).await;
            }
            Wish::Cordon(agent) => {
                insist("cordon", async || {
                    control.clone().set_worker_duty(duty(agent, WorkerDuty::Cordoned)).await
                })
                .await;
            }
            Wish::Drain(agent) => {
                insist("drain", async || {
                    control.clone().set_worker_duty(duty(agent, WorkerDuty::Drained)).await
                })
                .await;
            }
            Wish::Open(agent) => {
                insist("open", async || control.clone().set_worker_duty(duty(agent, WorkerDuty::Open)).await)
                    .await;
            }
            Wish::Limit(most) => {
                let request =
                    SetLimitsRequest { sweep: SWEEP.to_owned(), priority: None, max_concurrent: Some(most) };
                insist("limit", async || control.clone().set_limits(request.clone()).await).await;
            }
            Wish::Submit(seeds) => self.submit(seeds).await,
            Wish::Forget => self.forget().await,
            Wish::SubmitElsewhere => self.submit_elsewhere().await,
        }
    }

    async fn all_ended(&mut self) -> bool {
        let runs = self.runs().await;
        !runs.is_empty() && runs.iter().all(is_terminal)
    }

    /// The runs; none if the coordinator does not answer.
    async fn runs(&mut self) -> Vec<Run> {
        let request = ListRunsRequest { sweep: SWEEP.to_owned(), ..ListRunsRequest::default() };
        let asked = async {
            let (mut runs, mut stream) = (Vec::new(), self.sweeps.list_runs(request).await?.into_inner());
            while let Some(run) = stream.message().await? {
                runs.push(run);
            }
            Ok::<_, Status>(runs)
        };
        timeout(PATIENCE, asked).await.ok().and_then(Result::ok).unwrap_or_default()
    }
}

/// A run of a sweep, or all of them where its number is 0.
fn selection(sweep: &str, run: u32) -> Selection {
    Selection { sweep: sweep.to_owned(), numbers: if run == 0 { Vec::new() } else { vec![run] } }
}

fn is_terminal(run: &Run) -> bool {
    !matches!(run.state(), RunState::Queued | RunState::Running | RunState::Paused)
}

/// Asks until there is an answer; a refusal is one, which is answered by its code.
async fn insist<T, F: Future<Output = Result<T, Status>>>(what: &str, ask: impl Fn() -> F) -> Option<Code> {
    loop {
        match timeout(PATIENCE, ask()).await {
            Ok(Ok(_)) => return None,
            Ok(Err(status))
                if !matches!(
                    status.code(),
                    Code::Unavailable
                        | Code::Unknown
                        | Code::Cancelled
                        | Code::DeadlineExceeded
                        | Code::Internal
                        | Code::ResourceExhausted
                ) =>
            {
                tracing::info!(target: "person", "is refused to {what}: {}", status.message());
                return Some(status.code());
            }
            Ok(Err(_)) | Err(_) => sleep(Duration::from_secs(2)).await,
        }
    }
}
