//! What the schema says of parameters, from their table.

use std::ops::Bound;

use serde_json::{Map, Value, json};

use super::super::{range, sample};
use super::{described, integer, list, object};
use crate::parameters::{DefaultValue, Kind, PARAMETERS, Parameter};
use crate::training::{Dataset, OWN};

/// A value of each parameter, and of those that the table does not have.
pub(super) fn definitions() -> Value {
    let known = PARAMETERS.iter().map(|parameter| (parameter.name.to_owned(), scalar(&parameter.kind)));
    let own = [("another parameter".to_owned(), json!({ "type": ["number", "string"] }))];
    Value::Object(known.chain(own).collect())
}

/// `parameters`
pub(super) fn axes() -> Value {
    each(|parameter, value| {
        let takes_words = parameter.is_some_and(|parameter| parameter.kind.takes_words());
        let mut forms = vec![value.clone(), list(value), choice(value)];
        if !takes_words {
            forms.extend([evenly_spaced(value), distribution(value)]);
        }
        json!({ "anyOf": forms })
    })
}

/// `zip`
pub(super) fn zip() -> Value {
    let lists = each(|_, value| json!({ "type": "array", "items": value, "minItems": 1 }));
    json!({ "type": "array", "items": some(lists), "minItems": 1 })
}

/// `exclude`
pub(super) fn exclude() -> Value {
    let lists = |value: &Value| json!({ "type": "array", "items": value, "minItems": 1 });
    json!({ "type": "array", "items": some(each(|_, value| json!({ "anyOf": [value, lists(value)] }))) })
}

/// `include`
pub(super) fn include() -> Value {
    json!({ "type": "array", "items": some(each(|_, value| value.clone())) })
}

/// What holds in files that declare no parameters of their own.
pub(super) fn only_known_names() -> Value {
    let names = json!({ "enum": PARAMETERS.iter().map(|parameter| parameter.name).collect::<Vec<_>>() });
    let keys = json!({ "propertyNames": names });
    let items = json!({ "items": keys });
    json!({
        "parameters": keys, "zip": items, "exclude": items, "include": items,
        "report": { "properties": { "group_by": { "items": names } } },
    })
}

/// A mapping from parameters to what `schema` makes of the schema of one value; of one that the table does not have, too.
fn each(schema: impl Fn(Option<&Parameter>, &Value) -> Value) -> Value {
    let of = |name: &str| json!({ "$ref": format!("#/$defs/{name}") });
    let properties: Map<String, Value> = PARAMETERS
        .iter()
        .map(|parameter| {
            let mut schema =
                described(&description(parameter), &schema(Some(parameter), &of(parameter.name)));
            if let Some(default) = default(parameter) {
                schema["default"] = default;
            }
            (parameter.name.to_owned(), schema)
        })
        .collect();
    let others = schema(None, &of("another%20parameter"));
    json!({ "type": "object", "properties": properties, "additionalProperties": others })
}

/// The same, and not empty.
fn some(mut mapping: Value) -> Value {
    mapping["minProperties"] = json!(1);
    mapping
}

fn description(parameter: &Parameter) -> String {
    format!("{}: {}", parameter.doc, parameter.kind)
}

/// The default, where it is the same for every model and dataset.
fn default(parameter: &Parameter) -> Option<Value> {
    match parameter.default {
        DefaultValue::Int(value) => Some(json!(value)),
        DefaultValue::Float(value) => Some(json!(value)),
        DefaultValue::Word(word) => Some(json!(word)),
        DefaultValue::Required
        | DefaultValue::ByModel(_)
        | DefaultValue::ByDataset(_)
        | DefaultValue::SameAs(_) => None,
    }
}

/// One value.
fn scalar(kind: &Kind) -> Value {
    match kind {
        Kind::Word(words) => json!({ "enum": words }),
        Kind::Choice(words) => json!({ "enum": words }),
        Kind::Dataset => json!({ "anyOf": [
            { "enum": Dataset::NAMED.iter().map(Dataset::name).collect::<Vec<_>>() },
            { "type": "string", "pattern": format!("^({}).", OWN.join("|")) },
        ] }),
        Kind::Int(range) => integer(*range.start(), *range.end()),
        Kind::PowerOfTwo(range) => {
            let powers = (0..i64::BITS - 1).map(|exponent| 1_i64 << exponent);
            json!({ "enum": powers.filter(|power| range.contains(power)).collect::<Vec<_>>() })
        }
        &Kind::Float(min, max) => number(min, max),
    }
}

fn number(min: Bound<f64>, max: Bound<f64>) -> Value {
    let mut number = json!({ "type": "number" });
    for (bound, included, excluded) in
        [(min, "minimum", "exclusiveMinimum"), (max, "maximum", "exclusiveMaximum")]
    {
        match bound {
            Bound::Included(end) => number[included] = json!(end),
            Bound::Excluded(end) => number[excluded] = json!(end),
            Bound::Unbounded => {}
        }
    }
    number
}

/// `{min, max, count, scale}`
fn evenly_spaced(value: &Value) -> Value {
    let mut schema = object(&json!({
        "min": value,
        "max": value,
        "count": integer(1, range::MAX_COUNT.into()),
        "scale": { "enum": range::SCALES.map(|(word, _)| word), "default": "linear" },
    }));
    schema["required"] = json!(["min", "max", "count"]);
    schema
}

/// `{distribution, min, max}`
fn distribution(value: &Value) -> Value {
    let between = sample::DISTRIBUTIONS.map(|(word, _)| word).into_iter().filter(|word| *word != "choice");
    let mut schema = object(&json!({
        "distribution": { "enum": between.collect::<Vec<_>>() },
        "min": value,
        "max": value,
    }));
    schema["required"] = json!(["distribution", "min", "max"]);
    schema
}

/// `{distribution: choice, values}`
fn choice(value: &Value) -> Value {
    let values = json!({ "type": "array", "items": value, "minItems": 1 });
    let mut schema = object(&json!({ "distribution": { "const": "choice" }, "values": values }));
    schema["required"] = json!(["distribution", "values"]);
    schema
}
