//! Typed reading of a node that knows its place.

use std::ops::RangeInclusive;

use super::error::{Fault, Faults};
use super::node::Node;
use super::place::Place;
use crate::spelling::{did_you_mean, listed, quoted};

/// A value of the file.
#[derive(Debug, Clone)]
pub(super) struct Cursor<'n> {
    pub(super) node: &'n Node,
    path: Vec<usize>,
}

/// An entry of a mapping.
#[derive(Debug, Clone)]
pub(super) struct Entry<'n> {
    pub(super) name: &'n str,
    pub(super) value: Cursor<'n>,
}

impl<'n> Cursor<'n> {
    pub(super) fn root(node: &'n Node) -> Self {
        Cursor { node, path: Vec::new() }
    }

    fn child(&self, index: usize, node: &'n Node) -> Self {
        Cursor { node, path: [self.path.as_slice(), &[index]].concat() }
    }

    pub(super) fn place(&self) -> Place {
        Place { path: self.path.clone(), key: false }
    }

    pub(super) fn fault(&self, message: impl Into<String>) -> Fault {
        Fault::new(&self.place(), message)
    }

    fn expected(&self, what: &str) -> Fault {
        self.fault(format!("expected {what}, found {}", self.node))
    }

    pub(super) fn items(&self) -> Result<Vec<Cursor<'n>>, Fault> {
        match self.node {
            Node::List(items) => Ok(items.iter().enumerate().map(|(i, item)| self.child(i, item)).collect()),
            _ => Err(self.expected("a list")),
        }
    }

    /// The items of a list that is not empty.
    pub(super) fn some_items(&self) -> Result<Vec<Cursor<'n>>, Fault> {
        match self.items()? {
            items if items.is_empty() => Err(self.fault("the list is empty")),
            items => Ok(items),
        }
    }

    pub(super) fn entries(&self) -> Result<Vec<Entry<'n>>, Fault> {
        match self.node {
            Node::Map(entries) => Ok(entries
                .iter()
                .enumerate()
                .map(|(i, (name, value))| Entry { name, value: self.child(i, value) })
                .collect()),
            _ => Err(self.expected("a mapping")),
        }
    }

    pub(super) fn text(&self) -> Result<&'n str, Fault> {
        match self.node {
            Node::Text(text) => Ok(text),
            Node::Int(_) | Node::Float(_) | Node::Bool(_) => {
                Err(self.expected("a word").with_hint(Some("put it in quotes if it is meant as a word")))
            }
            _ => Err(self.expected("a word")),
        }
    }

    /// A text that `accepts` it; `what` describes those for the error.
    pub(super) fn text_that(&self, what: &str, accepts: impl Fn(&str) -> bool) -> Result<&'n str, Fault> {
        match self.text()? {
            text if accepts(text) => Ok(text),
            text => Err(self.fault(format!("expected {what}, found {}", quoted(text)))),
        }
    }

    /// The meaning of one of these words.
    pub(super) fn word<T: Copy>(&self, meanings: &[(&str, T)]) -> Result<T, Fault> {
        let text = self.text()?;
        let words = || meanings.iter().map(|(word, _)| *word);
        meanings.iter().find(|(word, _)| *word == text).map(|(_, meaning)| *meaning).ok_or_else(|| {
            self.fault(format!("expected one of {}, found {}", listed(words()), quoted(text)))
                .with_hint(did_you_mean(text, words()))
        })
    }

    pub(super) fn integer<I: TryFrom<i128> + Into<i128>>(
        &self,
        range: RangeInclusive<I>,
    ) -> Result<I, Fault> {
        let (min, max): (i128, i128) = {
            let (min, max) = range.into_inner();
            (min.into(), max.into())
        };
        match self.node {
            Node::Int(value) if (min..=max).contains(value) => I::try_from(*value).ok(),
            _ => None,
        }
        .ok_or_else(|| self.expected(&format!("an integer from {min} to {max}")))
    }

    pub(super) fn flag(&self) -> Result<bool, Fault> {
        match self.node {
            Node::Bool(flag) => Ok(*flag),
            _ => Err(self.expected("`true` or `false`")),
        }
    }

    /// A finite number.
    pub(super) fn number(&self) -> Result<f64, Fault> {
        match self.node {
            Node::Int(value) => Ok(*value as f64),
            Node::Float(value) if value.is_finite() => Ok(*value),
            _ => Err(self.expected("a number")),
        }
    }
}

impl Entry<'_> {
    /// The place of the key.
    pub(super) fn key(&self) -> Place {
        Place { key: true, ..self.value.place() }
    }

    pub(super) fn fault(&self, message: impl Into<String>) -> Fault {
        Fault::new(&self.key(), message)
    }
}

/// A mapping with known keys.
#[derive(Debug)]
pub(super) struct Fields<'n> {
    mapping: Cursor<'n>,
    entries: Vec<Entry<'n>>,
}

/// The keys that a mapping may have.
pub(super) struct Keys {
    pub(super) known: &'static [&'static str],
    /// Part of the schema, without effect yet: refused rather than ignored.
    pub(super) planned: &'static [&'static str],
}

impl<'n> Fields<'n> {
    /// Reads the keys; those that are not known are noted as faults.
    pub(super) fn read(mapping: &Cursor<'n>, keys: &Keys, faults: &Faults) -> Result<Self, Fault> {
        let mut entries = mapping.entries()?;
        entries.retain(|entry| {
            if keys.known.contains(&entry.name) {
                return true;
            }
            faults.push(if keys.planned.contains(&entry.name) {
                entry
                    .fault(format!("{} is not supported yet", quoted(entry.name)))
                    .with_hint(Some("remove it"))
            } else {
                let hint = did_you_mean(entry.name, keys.known.iter().copied())
                    .unwrap_or_else(|| format!("the keys are {}", listed(keys.known.iter().copied())));
                entry.fault(format!("unknown key {}", quoted(entry.name))).with_hint(Some(hint))
            });
            false
        });
        Ok(Fields { mapping: mapping.clone(), entries })
    }

    pub(super) fn entry(&self, name: &str) -> Option<&Entry<'n>> {
        self.entries.iter().find(|entry| entry.name == name)
    }

    pub(super) fn get(&self, name: &str) -> Option<&Cursor<'n>> {
        self.entry(name).map(|entry| &entry.value)
    }

    pub(super) fn require(&self, name: &str) -> Result<&Cursor<'n>, Fault> {
        self.get(name).ok_or_else(|| self.mapping.fault(format!("the key `{name}` is missing")))
    }
}
