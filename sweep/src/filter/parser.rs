//! From a text to a condition, by recursive descent.

use std::ops::Range;

use super::token::{Kind, Token, tokens};
use super::{Comparator, Condition, FilterError, NUMBER, Node, STATE, Test};
use crate::parameters::{Kind as ValueKind, PARAMETERS, Parameter};
use crate::results::SEED;
use crate::run::RunState;
use crate::scalar::Scalar;
use crate::spelling::{did_you_mean, quoted};

/// Bytes of a text at the most.
const LONGEST: usize = 10_000;
/// Parentheses and `not` within each other at the most.
const DEEPEST: usize = 50;

pub(super) fn parse(text: &str, own: &[String]) -> Result<Node, FilterError> {
    if text.len() > LONGEST {
        let message = format!("a condition has at most {LONGEST} bytes, and this one {}", text.len());
        return Err(FilterError::new("", 0..0, message));
    }
    let mut parser = Parser { text, own, tokens: tokens(text)?, next: 0, depth: 0 };
    let root = parser.any()?;
    match parser.peek() {
        None => Ok(root),
        Some(Token { kind: Kind::Close, .. }) => Err(parser.mistake("this parenthesis closes nothing")),
        Some(_) => Err(parser.mistake("`and` or `or` is missing before this")),
    }
}

struct Parser<'t> {
    text: &'t str,
    own: &'t [String],
    tokens: Vec<Token>,
    next: usize,
    depth: usize,
}

impl Parser<'_> {
    fn any(&mut self) -> Result<Node, FilterError> {
        self.chain(&Kind::Or, Self::all, Condition::Any)
    }

    fn all(&mut self) -> Result<Node, FilterError> {
        self.chain(&Kind::And, Self::one, Condition::All)
    }

    /// Parts between which a word stands; a part alone is itself.
    fn chain(
        &mut self,
        between: &Kind,
        part: fn(&mut Self) -> Result<Node, FilterError>,
        whole: fn(Vec<Node>) -> Condition,
    ) -> Result<Node, FilterError> {
        let first = part(self)?;
        let mut span = first.span.clone();
        let mut parts = vec![first];
        while self.takes(between) {
            let next = part(self)?;
            span.end = next.span.end;
            parts.push(next);
        }
        Ok(match parts.len() {
            1 => parts.remove(0),
            _ => Node { condition: whole(parts), span },
        })
    }

    fn one(&mut self) -> Result<Node, FilterError> {
        if self.depth >= DEEPEST {
            return Err(self.mistake(&format!("more than {DEEPEST} conditions are within each other")));
        }
        self.depth += 1;
        let start = self.here().start;
        let node = if self.takes(&Kind::Not) {
            let part = self.one()?;
            let span = start..part.span.end;
            Node { condition: Condition::Not(Box::new(part)), span }
        } else if self.takes(&Kind::Open) {
            let inner = self.any()?;
            let end = self.here().end;
            if !self.takes(&Kind::Close) {
                let message = "this parenthesis is not closed";
                return Err(FilterError::new(self.text, start..start + 1, message));
            }
            Node { condition: inner.condition, span: start..end }
        } else {
            self.test()?
        };
        self.depth -= 1;
        Ok(node)
    }

    fn test(&mut self) -> Result<Node, FilterError> {
        let Some(Token { kind: Kind::Name(name), span: named }) = self.peek().cloned() else {
            return Err(self.mistake("a parameter's name, `seed`, `state` or `number` belongs here"));
        };
        let field = self.field(&name, named.clone())?;
        self.next += 1;
        let is_negated = self.takes(&Kind::Not);
        let test = if self.takes(&Kind::In) {
            let values = self.values(&field)?;
            if is_negated { Test::NotIn(values) } else { Test::In(values) }
        } else if let (false, Some(Token { kind: Kind::Compare(comparator), span })) =
            (is_negated, self.peek().cloned())
        {
            self.next += 1;
            let orders = !matches!(comparator, Comparator::Equal | Comparator::Unequal);
            if orders && field.takes_words() {
                let message = format!("values of `{name}` are words, which have no order");
                let hint = Some(format!("write {name} = WORD, or {name} in (WORD, WORD)"));
                return Err(FilterError::new(self.text, span, message).with_hint(hint));
            }
            Test::Compare(comparator, self.value(&field)?)
        } else {
            return Err(self.mistake("one of =, !=, <, <=, >, >= and `in` belongs here"));
        };
        let end = self.tokens.get(self.next - 1).map_or(self.text.len(), |token| token.span.end);
        Ok(Node { condition: Condition::Test { field: name, test }, span: named.start..end })
    }

    fn values(&mut self, field: &Field) -> Result<Vec<Scalar>, FilterError> {
        if !self.takes(&Kind::Open) {
            return Err(self.mistake("`in` is followed by values in parentheses, like (0, 0.5)"));
        }
        let mut values = vec![self.value(field)?];
        while self.takes(&Kind::Comma) {
            values.push(self.value(field)?);
        }
        match self.takes(&Kind::Close) {
            true => Ok(values),
            false => Err(self.mistake("a comma or `)` belongs here")),
        }
    }

    fn value(&mut self, field: &Field) -> Result<Scalar, FilterError> {
        let (value, span) = match self.peek().cloned() {
            Some(Token { kind: Kind::Value(value), span }) => (value, span),
            Some(Token { kind: Kind::Name(word), span }) => (Scalar::Word(word), span),
            _ => return Err(self.mistake("a value belongs here: a number, a word, or a text in quotes")),
        };
        if let Some((message, hint)) = field.problem(&value) {
            return Err(FilterError::new(self.text, span, message).with_hint(hint));
        }
        self.next += 1;
        Ok(value)
    }

    fn field(&self, name: &str, span: Range<usize>) -> Result<Field, FilterError> {
        if self.own.iter().any(|own| own == name) {
            return Ok(Field::Own);
        }
        match (name, Parameter::find(name)) {
            (STATE, _) => Ok(Field::State),
            (SEED | NUMBER, _) => Ok(Field::Count),
            (_, Ok(parameter)) => Ok(Field::Parameter(parameter)),
            (_, Err(unknown)) => {
                let known = PARAMETERS.iter().map(|parameter| parameter.name);
                let known = known.chain([STATE, SEED, NUMBER]).chain(self.own.iter().map(String::as_str));
                let hint = unknown.hint().map(str::to_owned).or_else(|| did_you_mean(name, known));
                let message = format!("runs have no field {}", quoted(name));
                Err(FilterError::new(self.text, span, message).with_hint(hint))
            }
        }
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next)
    }

    /// Goes on if this is next.
    fn takes(&mut self, kind: &Kind) -> bool {
        let is_next = self.peek().is_some_and(|token| token.kind == *kind);
        self.next += usize::from(is_next);
        is_next
    }

    /// Bytes of what is next; the end of the text where nothing is.
    fn here(&self) -> Range<usize> {
        self.peek().map_or(self.text.len()..self.text.len(), |token| token.span.clone())
    }

    fn mistake(&self, message: &str) -> FilterError {
        FilterError::new(self.text, self.here(), message)
    }
}

/// What is known of a field's values.
enum Field {
    Parameter(&'static Parameter),
    /// A parameter that a sweep file declares: both words and numbers may be its values.
    Own,
    State,
    Count,
}

impl Field {
    fn takes_words(&self) -> bool {
        match self {
            Field::Parameter(parameter) => parameter.kind.takes_words(),
            Field::State => true,
            Field::Own | Field::Count => false,
        }
    }

    /// Why no run can have the value, and a hint. Numbers out of a parameter's range are taken: they compare.
    fn problem(&self, value: &Scalar) -> Option<(String, Option<String>)> {
        match (self, value) {
            (Field::State, Scalar::Word(word)) => {
                let known = RunState::ALL.iter().map(|state| state.as_str());
                let hint = did_you_mean(word, known.clone())
                    .or_else(|| Some(format!("states are {}", known.collect::<Vec<_>>().join(", "))));
                word.parse::<RunState>().is_err().then(|| (format!("no run is {}", quoted(word)), hint))
            }
            (Field::State, _) => Some(("states are words, such as completed".to_owned(), None)),
            (Field::Count, Scalar::Word(_)) => Some(("a number belongs here".to_owned(), None)),
            // A folder of pictures may have any name.
            (Field::Parameter(Parameter { kind: ValueKind::Dataset, .. }), Scalar::Word(word))
                if word.contains(':') =>
            {
                None
            }
            (Field::Parameter(parameter), value) => {
                let is_number = !matches!(value, Scalar::Word(_));
                if is_number && !parameter.kind.takes_words() {
                    return None;
                }
                parameter.check(value).err().map(|error| (error.to_string(), error.hint().map(str::to_owned)))
            }
            (Field::Own | Field::Count, _) => None,
        }
    }
}
