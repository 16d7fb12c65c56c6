//! By which names people reach the pages.
//!
//! A web page elsewhere can have its own name lead to this machine ("DNS rebinding"), and its scripts would then read what is
//! served here as if it were theirs. But the browser still says that name, and it is none of these.

use std::net::IpAddr;
use std::sync::Arc;

use axum::http::StatusCode;
use axum::http::header::HOST;
use axum::http::request::Parts;
use axum::http::uri::Authority;

use crate::problem::Problem;

/// The names by which people reach the pages, besides those of the machine itself and plain addresses.
#[derive(Debug, Clone, Default)]
pub struct Hosts(Arc<Vec<String>>);

impl Hosts {
    /// Also these names, such as `login1` or `acai.lab.example`.
    #[must_use]
    pub fn and(names: impl IntoIterator<Item = String>) -> Hosts {
        Hosts(Arc::new(names.into_iter().map(|name| name.to_ascii_lowercase()).collect()))
    }

    /// The name and port that a request was sent to, if it is one of these.
    pub(super) fn named(&self, request: &Parts) -> Result<Authority, Problem> {
        let header = || request.headers.get(HOST)?.to_str().ok()?.parse().ok();
        let named: Option<Authority> = request.uri.authority().cloned().or_else(header);
        let named = named.ok_or_else(|| {
            Problem::new(StatusCode::BAD_REQUEST, "the request does not say to whom it is sent")
        })?;
        if self.has(named.host()) {
            return Ok(named);
        }
        let name = named.host();
        Err(Problem::new(
            StatusCode::MISDIRECTED_REQUEST,
            format!(
                "this coordinator does not go by the name `{name}`\nhint: if it should, start it with --public-host {name}"
            ),
        ))
    }

    fn has(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        let address = host.trim_start_matches('[').trim_end_matches(']');
        // Nobody can have an address lead elsewhere.
        address.parse::<IpAddr>().is_ok()
            || host == "localhost"
            || host.ends_with(".localhost")
            || host.as_bytes() == rustix::system::uname().nodename().to_bytes().to_ascii_lowercase()
            || self.0.contains(&host)
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn named(hosts: &Hosts, host: &str) -> bool {
        hosts.named(&Request::builder().header(HOST, host).body(()).unwrap().into_parts().0).is_ok()
    }

    #[test]
    fn names_of_others_are_refused_and_addresses_and_own_names_are_not() {
        let hosts = Hosts::and(["Acai.Lab.example".to_owned()]);
        for own in
            ["127.0.0.1:7700", "[::1]:7700", "localhost:9", "LOCALHOST", "acai.lab.example:7700", "10.0.0.7"]
        {
            assert!(named(&hosts, own), "{own}");
        }
        for other in
            ["evil.example:7700", "127.0.0.1.evil.example", "lab.example", "localhost.evil.example", ""]
        {
            assert!(!named(&hosts, other), "{other}");
        }
    }
}
