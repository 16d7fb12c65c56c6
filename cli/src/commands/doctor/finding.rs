//! What was found.

use std::fmt;

use serde_json::{Value, json};

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Good,
    /// Worth knowing.
    Note,
    /// A worker would not work here.
    Wrong,
}

/// What was found of one thing.
#[derive(Debug, Clone)]
pub(super) struct Finding {
    pub(super) verdict: Verdict,
    about: &'static str,
    words: String,
    /// What to do.
    hint: Option<String>,
}

impl Finding {
    pub(super) fn good(about: &'static str, words: impl Into<String>) -> Finding {
        Finding { verdict: Verdict::Good, about, words: words.into(), hint: None }
    }

    pub(super) fn note(about: &'static str, words: impl Into<String>, hint: impl Into<String>) -> Finding {
        Finding { verdict: Verdict::Note, about, words: words.into(), hint: Some(hint.into()) }
    }

    pub(super) fn wrong(about: &'static str, words: impl Into<String>, hint: impl Into<String>) -> Finding {
        Finding { verdict: Verdict::Wrong, about, words: words.into(), hint: Some(hint.into()) }
    }

    fn word(&self) -> &'static str {
        match self.verdict {
            Verdict::Good => "good",
            Verdict::Note => "note",
            Verdict::Wrong => "wrong",
        }
    }

    pub(super) fn json(&self) -> Value {
        json!({"verdict": self.word(), "about": self.about, "words": self.words, "hint": self.hint})
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:5}  {:12} {}", self.word(), self.about, self.words)?;
        match &self.hint {
            None => Ok(()),
            Some(hint) => write!(f, "\n{:20}hint: {hint}", ""),
        }
    }
}
