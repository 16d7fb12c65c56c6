//! What each method needs.

use acai_access::Scope;

/// The scopes of which a token needs one for the method at `path`; none where the protocol has no such method. One that this
/// table lacks is for admins.
pub(super) fn needed(path: &str) -> Option<&'static [Scope]> {
    acai_proto::METHODS.contains(&path).then(|| listed(path).unwrap_or(&[Scope::Admin]))
}

fn listed(path: &str) -> Option<&'static [Scope]> {
    let (service, method) = path.strip_prefix("/acai.v1.")?.split_once('/')?;
    Some(match (service, method) {
        ("SweepService", "SubmitSweep") | ("ArchiveService", "ImportSweep") => &[Scope::Submit],
        (
            "SweepService",
            "PlanSweep" | "ListSweeps" | "GetSweep" | "ListRuns" | "GetRun" | "WatchSweep" | "GetResults"
            | "ListMetrics" | "ListPoints" | "ListArtifacts" | "ListWorkers",
        )
        | ("ControlService", "ExplainRun") => &[Scope::Read],
        (
            "ControlService",
            "CancelRuns" | "PauseRuns" | "ResumeRuns" | "RetryRuns" | "SetLimits" | "ForgetSweep"
            | "SetWorkerDuty",
        ) => &[Scope::Submit],
        (
            "WorkerService",
            "Register" | "Claim" | "Renew" | "ReportMetrics" | "Complete" | "Fail" | "Release"
            | "CommitCheckpoint" | "AddArtifact" | "Leave" | "RejectCheckpoint",
        ) => &[Scope::Worker],
        // Workers bring what their attempts make, and people what they import.
        ("BlobService", "Stat" | "Upload") => &[Scope::Worker, Scope::Submit],
        ("FleetService", "GetDemand") | ("BlobService", "Download") => &[Scope::Read, Scope::Worker],
        ("AccessService", "ListAuthorities") => &[Scope::Read, Scope::Worker],
        ("AccessService", "CreateToken" | "ListTokens" | "RevokeToken" | "RotateAuthority") => {
            &[Scope::Admin]
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_every_method_of_the_protocol() {
        let missing: Vec<_> = acai_proto::METHODS.iter().filter(|path| listed(path).is_none()).collect();
        assert!(!acai_proto::METHODS.is_empty());
        assert!(missing.is_empty(), "{missing:?}");
    }

    #[test]
    fn what_the_protocol_lacks_needs_no_scope_and_is_not_served() {
        for path in ["/acai.v1.SweepService/Other", "/acai.v2.SweepService/GetSweep", "", "/", "GetSweep"] {
            assert_eq!(needed(path), None, "{path}");
        }
    }
}
