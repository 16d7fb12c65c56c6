//! Scores are those of the authors' code.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

mod clustering;
mod lines;
mod recent;
mod strings;
