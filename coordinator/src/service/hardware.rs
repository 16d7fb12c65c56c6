//! A worker's hardware as JSON, for the database and those who read it with their own tools.

use acai_proto::v1;
use serde_json::{Value, json};

pub(super) fn to_json(hardware: &v1::Hardware) -> String {
    let gpu = |gpu: &v1::Gpu| json!({"name": gpu.name, "memory_bytes": gpu.memory_bytes});
    json!({
        "host": hardware.host,
        "cpu": hardware.cpu,
        "cores": hardware.cores,
        "memory_bytes": hardware.memory_bytes,
        "threads": hardware.threads,
        "gpus": hardware.gpus.iter().map(gpu).collect::<Vec<_>>(),
    })
    .to_string()
}

/// What is missing or of another type is left empty: this is for display only.
pub(super) fn from_json(json: &str) -> v1::Hardware {
    let value: Value = serde_json::from_str(json).unwrap_or_default();
    let text = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
    let gpu = |value: &Value| v1::Gpu {
        name: text(value, "name"),
        memory_bytes: value["memory_bytes"].as_u64().unwrap_or_default(),
    };
    v1::Hardware {
        host: text(&value, "host"),
        cpu: text(&value, "cpu"),
        cores: value["cores"].as_u64().and_then(|cores| u32::try_from(cores).ok()).unwrap_or_default(),
        memory_bytes: value["memory_bytes"].as_u64().unwrap_or_default(),
        threads: value["threads"]
            .as_u64()
            .and_then(|threads| u32::try_from(threads).ok())
            .unwrap_or_default(),
        gpus: value["gpus"].as_array().map(|gpus| gpus.iter().map(gpu).collect()).unwrap_or_default(),
    }
}
