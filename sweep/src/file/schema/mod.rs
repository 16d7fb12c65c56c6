//! A JSON Schema of sweep files, for editors: what each key is for, and mistakes while one types. It refuses nothing that
//! [`super::SweepFile::parse`] takes; what follows from several keys together only the parser knows.

mod parameters;

use serde_json::{Value, json};

use super::sample;
use super::settings::{GOALS, LONGEST_NAME, MAX_RUNS};
use crate::metric::score_names;
use crate::parameters::LONGEST_NAME as LONGEST_PARAMETER;

/// The schema, draft 2020-12.
#[must_use]
pub fn schema() -> Value {
    let properties = json!({
        "version": { "description": "of the format of sweep files", "const": 1 },
        "name": described("the sweep's id", &name()),
        "description": { "description": "for people", "type": "string" },
        "tags": { "description": "for people", "type": "array", "items": name(), "uniqueItems": true },
        "method": {
            "description": "how parameters with a distribution are drawn: each on its own, or so that they fill the space evenly",
            "enum": sample::METHODS.map(|(word, _)| word),
            "default": "grid",
        },
        "samples": described("how many draws", &integer(1, sample::MOST.into())),
        "sample_seed": described("another one makes other draws", &integer(0, u32::MAX.into())),
        "metric": described("what the sweep is judged by; tables are sorted by the first that they have", &metrics()),
        "parameters": described("what is trained: a scalar is one value, a list an axis", &parameters::axes()),
        "zip": described("lists of one length that vary together", &parameters::zip()),
        "exclude": described("drops the points that match; a list means any of these", &parameters::exclude()),
        "include": described(
            "adds to the points that it does not contradict, else is a new point",
            &parameters::include(),
        ),
        "seeds": {
            "description": "how many, counted from 0, or a list",
            "anyOf": [integer(1, MAX_RUNS.into()), list(&json!({ "type": "integer", "minimum": 0 }))],
            "default": 1,
        },
        "max_runs": described("refuse to have more runs than this", &integer(1, MAX_RUNS.into())),
        "priority": described("larger first", &integer(-1_000_000, 1_000_000)),
        "max_concurrent": described("runs at a time; without it there is no limit", &integer(1, MAX_RUNS.into())),
        "max_restarts": described("failures of its own that a run may have", &integer(0, 1_000)),
        "max_lost_workers": described(
            "workers in a row that a run may lose, without a new checkpoint, before it is given up",
            &integer(1, MAX_RUNS.into()),
        ),
        "max_failed_runs": described(
            "runs that may fail before the sweep pauses; without it, it never does",
            &integer(1, MAX_RUNS.into()),
        ),
        "checkpoint": object(&json!({ "every_kimg": {
            "description": "training between two checkpoints, in units of 1024 images",
            "type": "number", "exclusiveMinimum": 0, "maximum": 1e6,
        } })),
        "artifacts": object(&json!({ "weights": {
            "description": "whether each trained run's weights become an artifact",
            "type": "boolean",
        } })),
        "report": object(&json!({
            "group_by": described("parameters whose values make a row of tables", &list(&json!({ "type": "string" }))),
            "metrics": described("more metrics to show", &list(&metric_name())),
        })),
        "trainer": trainer(),
    });
    let mut schema = object(&properties);
    for (key, value) in [
        ("$schema", json!("https://json-schema.org/draft/2020-12/schema")),
        ("title", json!("A sweep of acai")),
        ("required", json!(["version", "name", "parameters"])),
        ("dependentRequired", json!({ "samples": ["method"], "sample_seed": ["method"] })),
        // Other names of parameters are those that the file declares for a trainer of one's own.
        ("if", json!({ "not": { "required": ["trainer"] } })),
        ("then", json!({ "properties": parameters::only_known_names() })),
        ("$defs", parameters::definitions()),
    ] {
        schema[key] = value;
    }
    schema
}

/// A mapping with these keys and no others.
fn object(properties: &Value) -> Value {
    json!({ "type": "object", "properties": properties, "additionalProperties": false })
}

fn described(description: &str, schema: &Value) -> Value {
    let mut schema = schema.clone();
    schema["description"] = json!(description);
    schema
}

fn integer(min: i64, max: i64) -> Value {
    json!({ "type": "integer", "minimum": min, "maximum": max })
}

/// A list that is not empty and has nothing twice.
fn list(items: &Value) -> Value {
    json!({ "type": "array", "items": items, "minItems": 1, "uniqueItems": true })
}

fn name() -> Value {
    json!({ "type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]*$", "maxLength": LONGEST_NAME })
}

fn metric_name() -> Value {
    json!({ "type": "string", "pattern": "^[A-Za-z0-9/._-]+$", "maxLength": LONGEST_NAME })
}

fn metrics() -> Value {
    let mut with_goal =
        object(&json!({ "name": metric_name(), "goal": { "enum": GOALS.map(|(word, _)| word) } }));
    with_goal["required"] = json!(["name", "goal"]);
    let score = json!({ "enum": score_names().collect::<Vec<_>>() });
    let metric = [score, with_goal];
    json!({ "anyOf": [metric[0], metric[1], list(&json!({ "anyOf": metric }))] })
}

fn trainer() -> Value {
    let mut parameter = object(&json!({
        "type": { "enum": super::trainer::TYPES.map(|(word, _)| word) },
        "min": { "type": "number" },
        "max": { "type": "number" },
        "choices": list(&json!({ "type": "string", "minLength": 1 })),
        "default": { "type": ["number", "string"] },
    }));
    parameter["required"] = json!(["type"]);
    let parameters = json!({
        "type": "object",
        "additionalProperties": parameter,
        "propertyNames": { "pattern": "^[a-z][a-z0-9_]*$", "maxLength": LONGEST_PARAMETER },
    });
    let metrics = json!({ "type": "array", "items": metric_name(), "minItems": 1 });
    described(
        "parameters and metrics that a trainer of your own has",
        &object(&json!({ "parameters": parameters, "metrics": metrics })),
    )
}

#[cfg(test)]
mod tests {
    use super::super::KEYS;
    use super::schema;

    #[test]
    fn the_schema_has_every_key_of_sweep_files() {
        let schema = schema();
        let mut known = KEYS.known.to_vec();
        known.sort_unstable();
        assert_eq!(schema["properties"].as_object().unwrap().keys().collect::<Vec<_>>(), known);
    }
}
