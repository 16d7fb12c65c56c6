//! `acai.v1` on the wire.
//!
//! [`v1`] holds what is generated from `acai/v1/*.proto`, where every call and field is described.
//! [`convert`] turns messages into domain values and back; a message that makes no sense is an
//! error that names its field. [`tables`] does so for tables of results.

pub mod convert;
pub mod tables;

/// The header that a coordinator sets on each of its answers. A refusal without it is somebody else's, a proxy's on the way
/// or a web server's at a wrong address, and says nothing of runs.
pub const SIGNATURE: &str = "acai-coordinator";

/// The path of every method, `/acai.v1.SERVICE/METHOD`.
pub const METHODS: &[&str] = &include!(concat!(env!("OUT_DIR"), "/methods.rs"));

/// Generated from `acai/v1/*.proto`.
#[allow(missing_docs, unreachable_pub, clippy::all, reason = "generated code")]
pub mod v1 {
    tonic::include_proto!("acai.v1");
}
