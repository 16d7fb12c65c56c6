//! What workers tell a coordinator whose database may have been restored from a backup.

use acai_proto::v1::{
    Attempt, Checkpoint, ClaimRequest, CommitCheckpointRequest, CompleteRequest, RenewRequest, Rest,
};
use tonic::Code;

use crate::server::{Coordinator, blob, sha256};

#[tokio::test]
async fn a_run_is_not_completed_while_the_database_lacks_the_checkpoint_that_was_committed_last() {
    let coordinator = Coordinator::start().await;
    let mut workers = coordinator.workers().await;
    let held = coordinator.attempt;
    let attempt = Some(Attempt { run: held.run.into(), number: held.number, token: held.token });
    let complete = CompleteRequest { attempt, step: 100, last_seq: 0, checkpoint_step: 100 };
    let blob = blob(1000);
    coordinator.upload(coordinator.header(&blob, 0), &blob).await.unwrap();
    coordinator.commit(90, &blob).await;

    // As a database that was restored from a backup older than the commit of step 100.
    let refused = workers.complete(complete).await.unwrap_err();
    assert_eq!(refused.code(), Code::OutOfRange, "{refused}");
    assert!(refused.message().contains("hand it over again"), "{refused}");

    let checkpoint = Some(Checkpoint { step: 100, sha256: sha256(&blob), bytes: 1000 });
    workers.commit_checkpoint(CommitCheckpointRequest { attempt, checkpoint, last_seq: 0 }).await.unwrap();
    workers.complete(complete).await.unwrap();
    workers.complete(complete).await.unwrap();
}

#[tokio::test]
async fn a_worker_that_never_committed_a_checkpoint_completes_its_run() {
    let coordinator = Coordinator::start().await;
    let held = coordinator.attempt;
    let attempt = Some(Attempt { run: held.run.into(), number: held.number, token: held.token });
    let complete = CompleteRequest { attempt, step: 100, last_seq: 0, checkpoint_step: 0 };
    coordinator.workers().await.complete(complete).await.unwrap();
}

#[tokio::test]
async fn what_is_shown_of_resting_slots_is_what_the_last_claim_or_renewal_said() {
    let coordinator = Coordinator::start().await;
    let mut workers = coordinator.workers().await;
    let shown = async || {
        coordinator.store.worker_list(i64::MIN, "", 9).await.unwrap()[0].rest.as_ref().map(|rest| rest.slots)
    };
    let rest = |slots| Some(Rest { slots, reason: "CUDA is gone".to_owned() });
    let claim = |number, rest| ClaimRequest {
        worker_id: "w".to_owned(),
        claim_id: format!("claim {number}"),
        number,
        groups: 1,
        group_size: 1,
        rest,
        vacancy: None,
    };
    let renew = |rest| RenewRequest { worker_id: "w".to_owned(), attempts: Vec::new(), rest };
    workers.claim(claim(2, rest(1))).await.unwrap();
    assert_eq!(shown().await, Some(1));
    // One of an earlier release says nothing of it.
    workers.claim(claim(3, None)).await.unwrap();
    workers.renew(renew(None)).await.unwrap();
    assert_eq!(shown().await, Some(1));
    workers.claim(claim(4, rest(0))).await.unwrap();
    assert_eq!(shown().await, None);
    workers.renew(renew(rest(2))).await.unwrap();
    assert_eq!(shown().await, Some(2));
    workers.renew(renew(rest(0))).await.unwrap();
    assert_eq!(shown().await, None);
}
