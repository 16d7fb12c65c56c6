//! What a token allows.

use std::fmt;
use std::str::FromStr;

/// What the bearer of a token may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Read sweeps, runs, results and artifacts.
    Read,
    /// Also submit sweeps, and change what is queued and running.
    Submit,
    /// Train: claim runs, report on them, bring and fetch checkpoints. Nothing else.
    Worker,
    /// Everything, also creating and revoking tokens.
    Admin,
}

impl Scope {
    /// All of them.
    pub const ALL: [Scope; 4] = [Scope::Read, Scope::Submit, Scope::Worker, Scope::Admin];

    /// Whether this allows what `needed` is needed for.
    #[must_use]
    pub fn allows(self, needed: Scope) -> bool {
        self == needed
            || match self {
                Scope::Admin => true,
                Scope::Submit => needed == Scope::Read,
                Scope::Read | Scope::Worker => false,
            }
    }

    /// As it is written.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Scope::Read => "read",
            Scope::Submit => "submit",
            Scope::Worker => "worker",
            Scope::Admin => "admin",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// No scope has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a scope: they are read, submit, worker and admin")]
pub struct UnknownScope(String);

impl FromStr for Scope {
    type Err = UnknownScope;

    fn from_str(name: &str) -> Result<Scope, UnknownScope> {
        Scope::ALL.into_iter().find(|scope| scope.name() == name).ok_or_else(|| UnknownScope(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::Scope::{self, Admin, Read, Submit, Worker};

    #[test]
    fn a_scope_allows_itself_submit_also_reads_and_admin_does_everything() {
        let allowed = |scope: Scope| Scope::ALL.into_iter().filter(|needed| scope.allows(*needed)).collect();
        let expected: [(Scope, Vec<Scope>); 4] = [
            (Read, vec![Read]),
            (Submit, vec![Read, Submit]),
            (Worker, vec![Worker]),
            (Admin, vec![Read, Submit, Worker, Admin]),
        ];
        for (scope, needed) in expected {
            let allowed: Vec<Scope> = allowed(scope);
            assert_eq!(allowed, needed, "{scope}");
        }
    }

    #[test]
    fn a_name_that_is_no_scope_is_answered_with_those_that_are() {
        assert_eq!("worker".parse(), Ok(Worker));
        let error = "workers".parse::<Scope>().unwrap_err().to_string();
        assert_eq!(error, "`workers` is not a scope: they are read, submit, worker and admin");
    }
}
