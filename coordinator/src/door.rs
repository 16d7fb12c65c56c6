//! How clients come in: who may do what, and whether they can know the coordinator.

use acai_access::{AuthorityError, Identity, Shown};

use crate::guard::Guard;
use crate::pages::Pages;

/// How clients come in.
#[derive(Clone)]
pub struct Door {
    /// Who may do what.
    pub guard: Guard,
    /// What the coordinator shows of itself at first; without it, connections are not encrypted.
    pub identity: Option<Identity>,
    /// What browsers are shown, if anything.
    pub pages: Option<Pages>,
}

impl Door {
    /// For those whom the guard lets in, encrypted if there is an identity, without pages.
    #[must_use]
    pub fn new(guard: Guard, identity: Option<Identity>) -> Door {
        Door { guard, identity, pages: None }
    }

    /// Not encrypted, and for everybody.
    #[must_use]
    pub fn open() -> Door {
        Door::new(Guard::open(), None)
    }

    pub(crate) fn shown(&self) -> Result<Option<Shown>, AuthorityError> {
        self.identity.as_ref().map(Shown::new).transpose()
    }
}
