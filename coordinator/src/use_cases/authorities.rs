//! By what clients know the coordinator, and how that is exchanged: first they learn of the next certificate authority, and when
//! all have, coordinators show it.

use acai_access::{Authority, Pin, Shown};

use super::{Result, UseCaseError, UseCases};
use crate::authority::{ShowError, show_present};

impl UseCases {
    /// By what clients know the coordinator, now and, while the authority is exchanged, soon. Nothing where nothing is shown.
    ///
    /// # Errors
    /// The store's; a damaged authority.
    pub async fn authorities(&self, shown: Option<&Shown>) -> Result<Vec<Pin>> {
        match shown {
            None => Ok(Vec::new()),
            Some(shown) if shown.is_given() => Ok(vec![shown.pin()]),
            Some(_) => {
                let pins = self.store.authority_list().await?;
                let pins = pins.iter().map(Authority::pin).collect::<std::result::Result<_, _>>();
                Ok(pins.map_err(ShowError::from)?)
            }
        }
    }

    /// Makes the next certificate authority, unless there is one; answers as [`authorities`](Self::authorities).
    ///
    /// # Errors
    /// [`UseCaseError::NoAuthority`]; the store's.
    pub async fn prepare_authority(&self, shown: Option<&Shown>) -> Result<Vec<Pin>> {
        let shown = of_store(shown)?;
        let fresh = Authority::new().map_err(ShowError::from)?;
        self.store.authority_prepare(fresh).await?;
        self.authorities(Some(shown)).await
    }

    /// Has the next certificate authority be the only one; answers as [`authorities`](Self::authorities).
    ///
    /// # Errors
    /// [`UseCaseError::NoAuthority`], [`UseCaseError::NoNextAuthority`]; the store's.
    pub async fn exchange_authority(&self, shown: Option<&Shown>) -> Result<Vec<Pin>> {
        let shown = of_store(shown)?;
        if !self.store.authority_exchange().await? {
            return Err(UseCaseError::NoNextAuthority);
        }
        show_present(shown, &*self.store).await?;
        self.authorities(Some(shown)).await
    }
}

/// What is shown, if the store's authority vouches for it.
fn of_store(shown: Option<&Shown>) -> Result<&Shown> {
    match shown {
        None => Err(UseCaseError::NoAuthority("this coordinator does not encrypt")),
        Some(shown) if shown.is_given() => Err(UseCaseError::NoAuthority(
            "this coordinator shows a certificate that it was given (--tls-cert)",
        )),
        Some(shown) => Ok(shown),
    }
}
