//! Figures are sound for any data, say what they leave out, and look as they did.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

mod any_data;
mod golden;
mod sound;
mod what_is_said;
