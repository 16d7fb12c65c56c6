use std::time::Duration;

use acai_proto::v1::RegisterResponse;

use crate::error::WorkerError;

/// How long leases last and how often they are renewed, according to the coordinator's last answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Terms {
    pub(crate) term: Duration,
    pub(crate) renew_every: Duration,
}

impl TryFrom<RegisterResponse> for Terms {
    type Error = WorkerError;

    fn try_from(RegisterResponse { lease_ms, renew_ms, .. }: RegisterResponse) -> Result<Self, WorkerError> {
        if renew_ms == 0 || renew_ms >= lease_ms {
            return Err(WorkerError::LeaseTerms { lease_ms, renew_ms });
        }
        let ms = |ms| Duration::from_millis(u64::from(ms));
        Ok(Self { term: ms(lease_ms), renew_every: ms(renew_ms) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_under_which_leases_would_lapse_are_refused() {
        let terms = |lease_ms, renew_ms| {
            Terms::try_from(RegisterResponse { lease_ms, renew_ms, ..RegisterResponse::default() })
        };
        assert!(terms(30_000, 10_000).is_ok());
        assert!(terms(10_000, 10_000).is_err());
        assert!(terms(10_000, 0).is_err());
    }
}
