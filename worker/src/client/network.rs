//! How a worker's connections are opened.

use std::fmt;
use std::sync::Arc;

use tonic::transport::{Channel, Endpoint};

/// How connections to a coordinator are opened: over this machine's network, as a rule. Clones open them alike.
#[derive(Clone)]
pub struct Network(Arc<dyn Fn(&Endpoint) -> Channel + Send + Sync>);

impl Network {
    /// A network on which `open` makes a channel that connects when a call needs it, and again after it broke.
    pub fn new(open: impl Fn(&Endpoint) -> Channel + Send + Sync + 'static) -> Self {
        Self(Arc::new(open))
    }

    pub(super) fn open(&self, endpoint: &Endpoint) -> Channel {
        (self.0)(endpoint)
    }
}

impl Default for Network {
    fn default() -> Self {
        Self::new(Endpoint::connect_lazy)
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Network")
    }
}
