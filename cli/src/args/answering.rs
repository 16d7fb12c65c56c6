//! Who answers a command.

use std::path::PathBuf;
use std::str::FromStr;

/// A coordinator by its address, or a path: an access file, or the folder in which `acai run` keeps its files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answering {
    /// At this URL, or at this address, of which the beginning was left out.
    Coordinator(String),
    /// At this path there is an access file, or a state folder.
    Place(PathBuf),
}

impl FromStr for Answering {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            let words = "nobody is named: write a coordinator's address, an access file, or a state folder of `acai run`";
            return Err(words.to_owned());
        }
        // `localhost:7700`, and no folder of a path.
        let is_address = text.rsplit_once(':').is_some_and(|(host, port)| {
            !host.is_empty() && !host.contains('/') && port.parse::<u16>().is_ok()
        });
        Ok(match text {
            url if url.contains("://") => Answering::Coordinator(url.to_owned()),
            address if is_address => Answering::Coordinator(address.to_owned()),
            path => Answering::Place(path.into()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Answering;

    #[test]
    fn a_url_and_a_port_are_a_coordinators_and_all_else_is_a_path() {
        let coordinator = |url: &str| Answering::Coordinator(url.to_owned());
        for (text, expected) in [
            ("http://host:7700", coordinator("http://host:7700")),
            ("localhost:7700", coordinator("localhost:7700")),
            ("[::1]:7700", coordinator("[::1]:7700")),
            (".acai", Answering::Place(".acai".into())),
            ("/data/a:7/state", Answering::Place("/data/a:7/state".into())),
        ] {
            assert_eq!(text.parse::<Answering>(), Ok(expected), "{text}");
        }
        assert!("".parse::<Answering>().unwrap_err().contains("nobody is named"));
    }
}
