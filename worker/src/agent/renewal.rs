//! Keeps the leases, however much there is to report, and tells the coordinator which slots rest.

use std::convert::Infallible;

use acai_proto::v1::{Attempt, RenewRequest, RenewResponse, Rest};
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::registrar::Registrar;
use crate::backoff::Backoff;
use crate::client::CallError;
use crate::leases::Leases;

/// Attempts in one call; the coordinator takes twice as many.
const ATTEMPTS: usize = 8192;

/// Renews all leases whenever that is due and gives up those that could not be renewed, for as long as this future is
/// polled. The calls use the registrar's connection, which no report can hold up.
pub(super) async fn keep(leases: &Leases, registrar: &Registrar) -> Infallible {
    let call = |request: RenewRequest| {
        let request = RenewRequest { worker_id: registrar.worker_id().to_owned(), ..request };
        registrar.coordinator().renew(request)
    };
    tokio::select! {
        never = renew(leases, call) => never,
        never = expire(leases) => never,
    }
}

async fn renew<F>(leases: &Leases, call: impl Fn(RenewRequest) -> F) -> Infallible
where
    F: Future<Output = Result<RenewResponse, CallError>>,
{
    let mut backoff = Backoff::default();
    // What the coordinator knows of the slots that rest.
    let mut told = Rest::default();
    loop {
        leases.renewal_due().await;
        while let Err(error) = renew_once(leases, &mut told, &call).await {
            tracing::warn!("cannot renew {} leases: {error}", leases.attempts().len());
            backoff.pause().await;
        }
        backoff.reset();
    }
}

/// Renews what is held now, in as many calls as it takes.
async fn renew_once<F>(
    leases: &Leases,
    told: &mut Rest,
    call: &impl Fn(RenewRequest) -> F,
) -> Result<(), CallError>
where
    F: Future<Output = Result<RenewResponse, CallError>>,
{
    let attempts = leases.attempts();
    let resting = leases.resting();
    // The first call tells every time which slots rest, not only when that has changed: a coordinator whose database
    // was restored from a backup knows an older state, and a call that came late tells it one.
    let mut rest = Some(resting.clone());
    let mut batches: Vec<&[Attempt]> = attempts.chunks(ATTEMPTS).collect();
    // A worker all of whose slots rest claims nothing, so the coordinator hears of it only by this call. Other workers
    // tell which slots rest when they claim.
    if batches.is_empty() && (resting.slots > 0 || told.slots > 0) {
        batches.push(&[]);
    }
    for batch in batches {
        let sent = Instant::now();
        let request = RenewRequest { attempts: batch.to_vec(), rest: rest.take(), ..RenewRequest::default() };
        leases.renewed(batch, sent, &call(request).await?);
        told.clone_from(&resting);
    }
    Ok(())
}

async fn expire(leases: &Leases) -> Infallible {
    // A twentieth of a term is exact enough for something that only saves device time.
    let mut tick = interval(leases.terms().term / 20);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        leases.expire(Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::HashSet;
    use std::time::Duration;

    use tonic::Status;

    use super::*;
    use crate::leases::Terms;

    fn holding(attempts: u64) -> Leases {
        let terms = Terms { term: Duration::from_secs(30), renew_every: Duration::from_secs(10) };
        let leases = Leases::new(terms, Duration::ZERO);
        for run in 0..attempts {
            leases.grant(Attempt { run, number: 1, token: run }, Instant::now());
        }
        leases
    }

    #[tokio::test]
    async fn more_attempts_than_one_call_takes_are_all_renewed() {
        let leases = holding(20_000);
        let renewed = RefCell::new(HashSet::new());
        // This is how the coordinator answers.
        let call = async |RenewRequest { attempts, .. }: RenewRequest| {
            if attempts.len() > 16_384 {
                return Err(Status::invalid_argument("attempts has more than 16384").into());
            }
            renewed.borrow_mut().extend(attempts);
            Ok(RenewResponse::default())
        };
        renew_once(&leases, &mut Rest::default(), &call).await.unwrap();
        assert_eq!(renewed.borrow().len(), 20_000);
    }

    #[tokio::test]
    async fn a_worker_that_holds_nothing_tells_that_a_slot_rests_and_when_none_rests_any_more() {
        let leases = holding(0);
        let said = RefCell::new(Vec::new());
        let call = async |RenewRequest { rest, .. }: RenewRequest| {
            said.borrow_mut().push(rest.map(|rest| rest.slots));
            Ok(RenewResponse::default())
        };
        let mut told = Rest::default();
        for slots in [0, 1, 1, 0, 0] {
            leases.say_resting(Rest { slots, reason: "no disk".to_owned() });
            renew_once(&leases, &mut told, &call).await.unwrap();
        }
        assert_eq!(*said.borrow(), [Some(1), Some(1), Some(0)]);
    }
}
