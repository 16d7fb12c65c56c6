//! How clients come in: who may do what, and whether they can know the coordinator.

use acai_access::{AuthorityError, Identity};
use tokio_rustls::TlsAcceptor;

use crate::guard::Guard;

/// How clients come in.
#[derive(Clone)]
pub struct Door {
    /// Who may do what.
    pub guard: Guard,
    /// What the coordinator shows of itself; without it, connections are not encrypted.
    pub identity: Option<Identity>,
}

impl Door {
    /// Not encrypted, and for everybody.
    #[must_use]
    pub fn open() -> Door {
        Door { guard: Guard::open(), identity: None }
    }

    pub(crate) fn encryption(&self) -> Result<Option<TlsAcceptor>, AuthorityError> {
        self.identity.as_ref().map(|identity| Ok(TlsAcceptor::from(identity.server()?))).transpose()
    }
}
