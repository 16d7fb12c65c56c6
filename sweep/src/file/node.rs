//! YAML text to an ordered tree, within a budget.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, EnumAccess, Error, MapAccess, SeqAccess, Visitor};

use super::error::Mistake;
use super::nesting::{MAX_DEPTH, too_deep};
use super::place::{Position, root_position};
use crate::spelling::quoted;

/// Values of a file after its aliases are resolved, so that a few lines of aliases cannot fill the
/// memory. A text counts once for every [`TEXT_UNIT`] bytes begun: a file of 1 MiB without aliases
/// is never refused for long texts.
const MAX_NODES: usize = 20_000;
const TEXT_UNIT: usize = 64;

/// A YAML value. Mappings keep their order and have no key twice.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Null,
    Bool(bool),
    Int(i128),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

/// For error messages: "a list", "the number `3`".
impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Node::Null => f.write_str("nothing"),
            Node::Bool(value) => write!(f, "the boolean `{value}`"),
            Node::Int(value) => write!(f, "the number `{value}`"),
            Node::Float(value) => write!(f, "the number `{value:?}`"),
            Node::Text(value) => write!(f, "the word {}", quoted(value)),
            Node::List(_) => f.write_str("a list"),
            Node::Map(_) => f.write_str("a mapping"),
        }
    }
}

/// Reads one document.
pub(super) fn read(text: &str) -> Result<Node, Mistake> {
    let mut documents = serde_yaml::Deserializer::from_str(text);
    let Some(first) = documents.next() else { return Ok(Node::Null) };
    let node = read_document(first, text)?;
    if let Some(second) = documents.next() {
        read_document(second, text)?;
        let again = serde_yaml::Deserializer::from_str(text).nth(1);
        let start = again.map_or(Position::START, |document| root_position(document, text));
        let hint = "a file holds one sweep: remove what follows `---`".to_owned();
        return Err(Mistake::new(start, "a second document begins here", Some(hint)));
    }
    Ok(node)
}

fn read_document(document: serde_yaml::Deserializer<'_>, text: &str) -> Result<Node, Mistake> {
    let limits = Limits { nodes_left: Cell::new(MAX_NODES), refusal: RefCell::new(None) };
    (Reader { limits: &limits, depth: 0 }).deserialize(document).map_err(|error| {
        let position = Position::of_error(&error, text);
        match limits.refusal.into_inner() {
            Some(message) => Mistake::new(position, &message, None),
            None => syntax_mistake(&error, position, text),
        }
    })
}

/// The parser's own words, without the position, which stands in front already.
fn syntax_mistake(error: &serde_yaml::Error, position: Position, text: &str) -> Mistake {
    let at = error.location().map(|at| format!(" at line {} column {}", at.line(), at.column()));
    let message = error.to_string().replacen(&at.unwrap_or_default(), "", 1);
    let line = text.lines().nth(position.line - 1).unwrap_or_default();
    let indent = &line[..line.len() - line.trim_start().len()];
    let hint = indent.contains('\t').then(|| "indent with spaces, not with tabs".to_owned());
    Mistake::new(position, &message, hint)
}

/// What is left of the budget, and why the file was refused if it was.
struct Limits {
    nodes_left: Cell<usize>,
    refusal: RefCell<Option<String>>,
}

impl Limits {
    /// Fails where the reader stands; serde_yaml adds the position.
    fn refuse<E: Error>(&self, message: String) -> E {
        let error = E::custom(&message);
        self.refusal.replace(Some(message));
        error
    }

    fn spend<E: Error>(&self, nodes: usize) -> Result<(), E> {
        match self.nodes_left.get().checked_sub(nodes) {
            Some(left) => {
                self.nodes_left.set(left);
                Ok(())
            }
            None => {
                Err(self.refuse(format!("the file holds more than {MAX_NODES} values, aliases resolved")))
            }
        }
    }
}

#[derive(Clone, Copy)]
struct Reader<'l> {
    limits: &'l Limits,
    depth: usize,
}

impl Reader<'_> {
    fn scalar<E: Error>(self, node: Node) -> Result<Node, E> {
        self.limits.spend(1)?;
        Ok(node)
    }

    /// The reader for what is inside a list or mapping.
    fn enter<E: Error>(self) -> Result<Self, E> {
        self.limits.spend(1)?;
        if self.depth == MAX_DEPTH {
            return Err(self.limits.refuse(too_deep()));
        }
        Ok(Reader { depth: self.depth + 1, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Node, E> {
        self.scalar(Node::Null)
    }

    fn visit_none<E: Error>(self) -> Result<Node, E> {
        self.scalar(Node::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Node, E> {
        self.scalar(Node::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Node, E> {
        self.scalar(Node::Int(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Node, E> {
        self.scalar(Node::Int(value.into()))
    }

    fn visit_i128<E: Error>(self, value: i128) -> Result<Node, E> {
        self.scalar(Node::Int(value))
    }

    fn visit_u128<E: Error>(self, value: u128) -> Result<Node, E> {
        self.scalar(Node::Float(value as f64)) // no integer of a sweep file is as large
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Node, E> {
        self.scalar(Node::Float(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Node, E> {
        self.limits.spend(1 + value.len() / TEXT_UNIT)?;
        Ok(Node::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let inside = self.enter()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(inside)? {
            list.push(item);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Node, A::Error> {
        let inside = self.enter()?;
        let mut seen = HashSet::new();
        let mut map = Vec::new();
        while let Some(key) = entries.next_key_seed(KeyReader { limits: self.limits, seen: &mut seen })? {
            map.push((key, entries.next_value_seed(inside)?));
        }
        Ok(Node::Map(map))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, _tag: A) -> Result<Node, A::Error> {
        Err(self.limits.refuse("sweep files have no tags (`!…`)".to_owned()))
    }
}

/// Reads a mapping's next key; fails on it when it was there before.
struct KeyReader<'l> {
    limits: &'l Limits,
    seen: &'l mut HashSet<String>,
}

impl<'de> DeserializeSeed<'de> for KeyReader<'_> {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Visitor<'_> for KeyReader<'_> {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a word as key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<String, E> {
        self.limits.spend(1 + key.len() / TEXT_UNIT)?;
        if !self.seen.insert(key.to_owned()) {
            return Err(self.limits.refuse(format!("{} is here twice", quoted(key))));
        }
        Ok(key.to_owned())
    }
}
