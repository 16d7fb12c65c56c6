//! What a worker knows of the coordinator's release.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use acai_proto::SIGNATURE;
use tonic::Status;
use tonic::metadata::MetadataValue;

/// The coordinator's release, as its last answer to a registration told. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Peer(Arc<AtomicBool>);

impl Peer {
    /// Takes in the version that a registration was answered with.
    pub(crate) fn told_version(&self, version: &str) {
        self.0.store(version.is_empty(), Ordering::Relaxed);
    }

    /// Whether it is of release 0.1.0: that tells no version, signs no answers and knows no faults of groups.
    pub(crate) fn is_first_release(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Signs for a coordinator that does not: what comes from its address is taken for its own word.
    pub(crate) fn vouch(&self, mut status: Status) -> Status {
        if self.is_first_release() {
            status.metadata_mut().insert(SIGNATURE, MetadataValue::from_static("0.1.0"));
        }
        status
    }
}
