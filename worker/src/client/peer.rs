//! What a worker knows of the coordinator's release, to work with coordinators of the first release too.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use acai_proto::SIGNATURE;
use tonic::Status;
use tonic::metadata::MetadataValue;

/// The coordinator's release, according to its last answer to a registration. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Peer(Arc<AtomicBool>);

impl Peer {
    /// Notes the version in the answer to a registration.
    pub(crate) fn told_version(&self, version: &str) {
        self.0.store(version.is_empty(), Ordering::Relaxed);
    }

    /// Whether the coordinator is of release 0.1.0, which tells no version, signs no answers and knows no faults of
    /// groups.
    pub(crate) fn is_first_release(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Signs a refusal for a coordinator of release 0.1.0, which does not sign: whatever comes from its address is
    /// taken for its own answer.
    pub(crate) fn vouch(&self, mut status: Status) -> Status {
        if self.is_first_release() {
            status.metadata_mut().insert(SIGNATURE, MetadataValue::from_static("0.1.0"));
        }
        status
    }
}
