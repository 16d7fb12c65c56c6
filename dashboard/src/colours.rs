//! Colours of values, as classes: a page has no styles of its own, which its policy forbids.

use std::fmt::Write as _;

/// Colours of the scale.
const STEPS: usize = 64;

/// The class of a position from 0 to 1 on the scale.
pub(crate) fn class(position: f64) -> String {
    let last = STEPS - 1;
    format!("v{}", ((position.clamp(0.0, 1.0) * last as f64).round() as usize).min(last))
}

/// The rules of all classes.
pub(crate) fn rules() -> String {
    let mut rules = String::new();
    for step in 0..STEPS {
        let ([red, green, blue], is_dark_ink) = acai_plot::shade(step as f64 / (STEPS - 1) as f64);
        let ink = if is_dark_ink { "#000" } else { "#fff" };
        let _ = writeln!(
            rules,
            ".v{step}{{--cell:#{red:02x}{green:02x}{blue:02x};--cell-ink:{ink};fill:var(--cell)}}"
        );
    }
    rules
}
