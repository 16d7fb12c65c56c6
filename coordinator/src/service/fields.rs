//! Fields of messages from workers: what is too long, too large or malformed is refused, or cut where it is for display.

use acai_proto::convert::FieldError;
use acai_proto::v1;

use crate::store::{AttemptRef, Point, Rest};

/// Points in a call at the most.
const POINTS: usize = 1000;
/// Bytes of a name at the most.
const NAME: usize = 128;
/// Bytes of a failure's message that are kept.
const MESSAGE: usize = 4096;
/// Groups that a worker has room for, runs in one of them, and runs that a claim is given, at the most: they are chosen in
/// one transaction, and the answer must fit into a message.
pub(super) const RUNS: u32 = 1024;

pub(super) fn attempt(attempt: Option<v1::Attempt>) -> Result<AttemptRef, FieldError> {
    attempt.as_ref().map(attempt_ref).ok_or(FieldError::new("attempt", "is missing"))
}

pub(super) fn attempt_ref(attempt: &v1::Attempt) -> AttemptRef {
    AttemptRef { run: attempt.run.into(), number: attempt.number, token: attempt.token }
}

/// What a worker says of its slots that rest, if it says anything.
pub(super) fn resting(rest: Option<v1::Rest>) -> Result<Option<Rest>, FieldError> {
    let Some(v1::Rest { slots, reason }) = rest else { return Ok(None) };
    Ok(Some(Rest { slots: at_most("rest.slots", slots, RUNS)?, reason: cut(reason) }))
}

/// 64 hexadecimal digits, lower case.
pub(super) fn sha256(field: &'static str, text: String) -> Result<String, FieldError> {
    let is_digest = text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if is_digest { Ok(text) } else { Err(FieldError::new(field, "is not 64 hexadecimal digits, lower case")) }
}

pub(super) fn points(points: Vec<v1::Point>) -> Result<Vec<Point>, FieldError> {
    if points.len() > POINTS {
        return Err(FieldError::new("points", format!("has {} points, more than {POINTS}", points.len())));
    }
    let convert = |(index, point): (usize, v1::Point)| {
        if !point.value.is_finite() {
            return Err(FieldError::new(format!("points[{index}].value"), "is not a finite number"));
        }
        Ok(Point {
            name: name("points.name", point.name)?,
            step: step("points.step", point.step)?,
            value: point.value,
        })
    };
    points.into_iter().enumerate().map(convert).collect()
}

pub(super) fn name(field: &'static str, text: String) -> Result<String, FieldError> {
    if text.is_empty() || text.len() > NAME || text.chars().any(char::is_control) {
        return Err(FieldError::new(field, format!("is not a name of 1 to {NAME} bytes")));
    }
    Ok(text)
}

/// A name that a file can have anywhere.
pub(super) fn file_name(field: &'static str, text: String) -> Result<String, FieldError> {
    let text = name(field, text)?;
    if text.contains(['/', '\\']) || text.starts_with('.') {
        return Err(FieldError::new(field, "is no name of a file: it has a folder, or a dot in front"));
    }
    Ok(text)
}

pub(super) fn at_most(field: &'static str, value: u32, most: u32) -> Result<u32, FieldError> {
    if value > most {
        return Err(FieldError::new(field, format!("is {value}, more than {most}")));
    }
    Ok(value)
}

/// A step that the store's signed integers can hold.
pub(super) fn step(field: &'static str, step: u64) -> Result<u64, FieldError> {
    i64::try_from(step).map(|_| step).map_err(|_| FieldError::new(field, format!("is {step}, too large")))
}

/// As much of a text as is kept of it.
pub(super) fn cut(mut message: String) -> String {
    let end = (0..=MESSAGE.min(message.len())).rev().find(|&end| message.is_char_boundary(end));
    message.truncate(end.unwrap_or(0));
    message
}
