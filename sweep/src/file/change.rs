//! Values of a sweep file that somebody gives beside the file: `lambda=[0, 0.5]`, `metric.goal=min`.

use std::str::FromStr;

use serde::ser::{Serialize, SerializeMap, Serializer};
use thiserror::Error;

use super::error::SweepFileError;
use super::node::{self, Node};
use super::{KEYS, source};
use crate::parameters::PARAMETERS;
use crate::spelling::{did_you_mean, quoted};

/// `KEY=VALUE`: the value that a file has at a key is another one. The key is one of the file's own, of what is inside of it
/// after a dot (`checkpoint.every_kimg`; of a list by number from 0, `zip.0.lr`), or a parameter's name; the value is YAML.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// At least one.
    keys: Vec<String>,
    value: Node,
    /// As it was given.
    text: String,
}

/// A change that cannot be made.
#[derive(Debug, Error)]
pub enum ChangeError {
    /// The file cannot be read at all.
    #[error(transparent)]
    File(#[from] SweepFileError),
    /// The file has no place for the change.
    #[error("--set {text}: {message}{}", .hint.as_ref().map_or(String::new(), |hint| format!("\nhint: {hint}")))]
    Change {
        /// The change, on one line.
        text: String,
        /// Why not.
        message: String,
        /// What was probably meant.
        hint: Option<String>,
    },
}

impl FromStr for Change {
    type Err = String;

    /// # Errors
    /// What is wrong with the text, for people.
    fn from_str(text: &str) -> Result<Self, String> {
        let (key, value) = text.split_once('=').ok_or("expected KEY=VALUE, like `lambda=[0, 0.5]`")?;
        let keys: Vec<String> = key.trim().split('.').map(str::to_owned).collect();
        if keys.iter().any(String::is_empty) {
            return Err(format!("{} is no key of a sweep file", quoted(key)));
        }
        let value = source::decode(value.as_bytes()).and_then(node::read);
        let value = value.map_err(|mistake| format!("the value is not YAML: {}", mistake.message))?;
        Ok(Change { keys, value, text: on_one_line(text) })
    }
}

/// The text of the file with these changes, one after the other. Of its comments it keeps those at its top, and a line there
/// says what was changed. Without changes it is the file's own text.
///
/// # Errors
/// [`ChangeError::File`] when the file is no YAML, otherwise [`ChangeError::Change`] for the first change that the file has
/// no place for. That a changed value makes sense is for [`super::SweepFile::parse`] to say.
pub fn changed(file: &str, source: &[u8], changes: &[Change]) -> Result<String, ChangeError> {
    let text = source::decode(source).map_err(|mistake| SweepFileError::one(file, mistake))?;
    let mut root = node::read(text).map_err(|mistake| SweepFileError::one(file, mistake))?;
    if changes.is_empty() || !matches!(root, Node::Map(_)) {
        return Ok(text.to_owned());
    }
    for change in changes {
        change.apply(&mut root).map_err(|(message, hint)| {
            let text = change.text.clone();
            ChangeError::Change { text, message, hint }
        })?;
    }
    let yaml = serde_yaml::to_string(&root).map_err(|error| {
        let text = given(changes);
        ChangeError::Change { text, message: format!("the file cannot be written: {error}"), hint: None }
    })?;
    let is_comment = |line: &&str| line.starts_with('#');
    let heading = text.lines().take_while(is_comment).map(|line| format!("{line}\n"));
    Ok(format!("{}# as changed by --set {}\n{yaml}", heading.collect::<String>(), given(changes)))
}

fn given(changes: &[Change]) -> String {
    changes.iter().map(|change| change.text.as_str()).collect::<Vec<_>>().join(" --set ")
}

impl Change {
    fn apply(&self, root: &mut Node) -> Result<(), (String, Option<String>)> {
        let keys = self.whole_path(root)?;
        let (last, way) = keys.split_last().unwrap_or((&"", &[]));
        let mut node = root;
        let mut path = String::new();
        for key in way {
            node = inside(node, key, &path)?;
            // What is not there yet is a mapping.
            if *node == Node::Null {
                *node = Node::Map(Vec::new());
            }
            path = format!("{path}{}{key}", if path.is_empty() { "" } else { "." });
        }
        *inside(node, last, &path)? = self.value.clone();
        Ok(())
    }

    /// The keys from the top of the file: a parameter may be named alone.
    fn whole_path(&self, root: &Node) -> Result<Vec<&str>, (String, Option<String>)> {
        let keys: Vec<&str> = self.keys.iter().map(String::as_str).collect();
        let first = keys.first().copied().unwrap_or_default();
        let own = own_parameters(root);
        let parameters = || PARAMETERS.iter().map(|parameter| parameter.name).chain(own.iter().copied());
        if KEYS.known.contains(&first) || KEYS.planned.contains(&first) {
            return Ok(keys);
        }
        if parameters().any(|name| name == first) {
            return Ok([&["parameters"], keys.as_slice()].concat());
        }
        let message = format!("{} is neither a key of sweep files nor a parameter", quoted(first));
        Err((message, did_you_mean(first, KEYS.known.iter().copied().chain(parameters()))))
    }
}

/// The value at a key of a mapping, which is added where missing, or at an index of a list; `path` is where that is.
fn inside<'n>(node: &'n mut Node, key: &str, path: &str) -> Result<&'n mut Node, (String, Option<String>)> {
    match node {
        Node::Map(entries) => {
            let index = entries.iter().position(|(name, _)| name == key).unwrap_or_else(|| {
                entries.push((key.to_owned(), Node::Null));
                entries.len() - 1
            });
            Ok(&mut entries[index].1)
        }
        Node::List(items) => {
            let length = items.len();
            let item = key.parse().ok().and_then(|index: usize| items.get_mut(index));
            item.ok_or_else(|| {
                let items = format!("items are numbered from 0, and there are {length}");
                (format!("`{path}` is a list, which has no {}", quoted(key)), Some(items))
            })
        }
        other => {
            let whole = format!("`--set '{path}={{…}}'` replaces it as a whole");
            Err((format!("`{path}` is {other}, which has no {}", quoted(key)), Some(whole)))
        }
    }
}

/// The parameters that the file declares for a trainer of one's own.
fn own_parameters(root: &Node) -> Vec<&str> {
    match value(root, "trainer").and_then(|trainer| value(trainer, "parameters")) {
        Some(Node::Map(entries)) => entries.iter().map(|(name, _)| name.as_str()).collect(),
        _ => Vec::new(),
    }
}

fn value<'n>(node: &'n Node, key: &str) -> Option<&'n Node> {
    match node {
        Node::Map(entries) => entries.iter().find(|(name, _)| name == key).map(|(_, value)| value),
        _ => None,
    }
}

/// For a comment: YAML ends a line at each of these.
fn on_one_line(text: &str) -> String {
    text.replace(|c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}'), " ")
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Node::Null => serializer.serialize_unit(),
            Node::Bool(value) => serializer.serialize_bool(*value),
            Node::Int(value) => serializer.serialize_i128(*value),
            Node::Float(value) => serializer.serialize_f64(*value),
            Node::Text(text) => serializer.serialize_str(text),
            Node::List(items) => serializer.collect_seq(items),
            Node::Map(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                for (name, value) in entries {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }
    }
}
