//! What a URL asks for.

use std::convert::Infallible;

use acai_sweep::spelling::did_you_mean;
use axum::extract::{FromRequestParts, Request};
use axum::http::Uri;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use form_urlencoded::Serializer;

use crate::problem::{Problem, Result};
use crate::sweep::scatter::AGAINST;

/// What pages can be asked for.
const NAMES: [&str; 27] = [
    "x",
    "y",
    "metric",
    "dataset",
    "where",
    "fix",
    "at",
    "spread",
    "group-by",
    "sort",
    "all",
    "with",
    "state",
    "set-aside",
    "from",
    "until",
    "seed",
    "pair",
    "step",
    "name",
    "attempt",
    AGAINST,
    "after",
    "done",
    "of",
    "login",
    "is.",
];
/// What begins the names of a cell's own values.
pub(crate) const IS: &str = "is.";

/// A request, as pages look at it.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// From the page's folder to the folder of all pages, such as `../../`: so pages work below any path.
    pub(crate) root: String,
    /// Of the page, below the folder of all pages.
    pub(crate) path: String,
    pub(crate) question: Question,
}

impl<S: Send + Sync> FromRequestParts<S> for Asked {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> std::result::Result<Self, Infallible> {
        Ok(Asked::of(&parts.uri))
    }
}

impl Asked {
    pub(crate) fn of(uri: &Uri) -> Asked {
        let above = uri.path().matches('/').count().saturating_sub(1);
        Asked {
            root: if above == 0 { "./".to_owned() } else { "../".repeat(above) },
            path: uri.path().trim_start_matches('/').to_owned(),
            question: Question::parse(uri.query().unwrap_or_default()),
        }
    }

    /// This page with another question.
    pub(crate) fn with(&self, name: &str, value: &str) -> String {
        link(&self.path, &self.question.with(name, value))
    }
}

/// What follows the question mark: names and values, of which a name may have several.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Question(Vec<(String, String)>);

impl Question {
    fn parse(text: &str) -> Question {
        let pairs = form_urlencoded::parse(text.as_bytes()).into_owned();
        // What is empty was left open in a form.
        Question(pairs.filter(|(_, value)| !value.trim().is_empty()).collect())
    }

    /// The value of a name, if it has one.
    pub(crate) fn get<'q>(&'q self, name: &str) -> Option<&'q str> {
        let mut latest_first = self.0.iter().rev();
        latest_first.find(|(known, _)| known == name).map(|(_, value)| value.trim())
    }

    pub(crate) fn all<'q>(&'q self, name: &'q str) -> impl Iterator<Item = &'q str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.trim())
    }

    fn check(&self) -> Result<()> {
        let is_known = |name: &str| NAMES.contains(&name) || name.starts_with(IS);
        let Some((unknown, _)) = self.pairs().find(|(name, _)| !is_known(name)) else { return Ok(()) };
        let hint = did_you_mean(unknown, NAMES).map(|hint| format!("\nhint: {hint}"));
        let words = format!("is nothing that a page can be asked for{}", hint.unwrap_or_default());
        Err(Problem::question(unknown, words))
    }

    /// Everything that is asked, in its order.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// With this as the only value of the name; without the name if the value is empty.
    pub(crate) fn with(&self, name: &str, value: &str) -> Question {
        let mut pairs: Vec<(String, String)> =
            self.0.iter().filter(|(known, _)| known != name).cloned().collect();
        if !value.is_empty() {
            pairs.push((name.to_owned(), value.to_owned()));
        }
        Question(pairs)
    }

    /// With this value beside those that the name has.
    pub(crate) fn and(mut self, name: &str, value: &str) -> Question {
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Only what is asked by these names.
    pub(crate) fn only(&self, names: &[&str]) -> Question {
        Question(self.0.iter().filter(|(name, _)| names.contains(&name.as_str())).cloned().collect())
    }
}

/// Refuses questions that no page answers: a condition under a misspelt name would be none, and its numbers others than
/// they seem.
pub(crate) async fn understood(asked: Asked, request: Request, next: Next) -> Response {
    match asked.question.check() {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

/// A path with a question.
pub(crate) fn link(path: &str, question: &Question) -> String {
    if question.0.is_empty() {
        return path.to_owned();
    }
    let mut query = Serializer::new(String::new());
    query.extend_pairs(question.pairs());
    format!("{path}?{}", query.finish())
}

/// A name as a part of a path.
pub(crate) fn segment(name: &str) -> String {
    let encoded: String = form_urlencoded::byte_serialize(name.as_bytes()).collect();
    // What means a space in a question means itself in a path.
    encoded.replace('+', "%20")
}

/// The path of a sweep's page.
pub(crate) fn of_sweep(sweep: &str) -> String {
    format!("sweeps/{}", segment(sweep))
}

/// The path of a run's page.
pub(crate) fn of_run(sweep: &str, number: u32) -> String {
    format!("sweeps/{}/runs/{number}", segment(sweep))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_to_the_folder_of_all_pages_from_any_depth() {
        let root = |path: &'static str| Asked::of(&Uri::from_static(path)).root;
        assert_eq!(
            ["/", "/workers", "/sweeps/a", "/sweeps/a/runs/3"].map(root),
            ["./", "./", "../", "../../../"]
        );
    }

    #[test]
    fn a_question_is_changed_in_one_name_and_read_back_with_all_its_signs() {
        let asked = Asked::of(&Uri::from_static("/sweeps/a?x=lambda&where=gamma+%3E+0&x=&with=b&with=c"));
        assert_eq!(asked.question.get("x"), Some("lambda"));
        assert_eq!(asked.question.all("with").collect::<Vec<_>>(), ["b", "c"]);
        let changed = asked.with("where", "model = \"ä & b\"");
        let again = Asked::of(&format!("/{changed}").parse().unwrap());
        assert_eq!(again.question.get("where"), Some("model = \"ä & b\""));
        assert_eq!(again.question.get("x"), Some("lambda"));
        assert_eq!(asked.question.with("x", "").get("x"), None);
        assert_eq!(segment("a b/c"), "a%20b%2Fc");
    }
}
