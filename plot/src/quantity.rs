//! What an axis measures.

use crate::number::times_power_of_ten;
use crate::scale::Scaling;

/// A quantity along an axis, or over the colours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quantity {
    /// As it stands beside the axis, such as `mean distance`.
    pub name: String,
    /// Such as `s` or `%`; empty when the quantity is a mere number.
    pub unit: String,
    /// How its values are laid out.
    pub scaling: Scaling,
}

impl Quantity {
    /// A mere number on a linear axis.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Quantity {
        Quantity { name: name.into(), unit: String::new(), scaling: Scaling::Linear }
    }

    /// The name, and in brackets the unit and the power of ten that the ticks leave out.
    pub(crate) fn label(&self, factor: i32) -> String {
        let power = if factor == 0 { String::new() } else { times_power_of_ten(factor) };
        match (power.is_empty(), self.unit.is_empty()) {
            (true, true) => self.name.clone(),
            (true, false) => format!("{} ({})", self.name, self.unit),
            (false, true) => format!("{} ({power})", self.name),
            (false, false) => format!("{} ({power} {})", self.name, self.unit),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_is_named_with_its_unit_and_the_power_of_ten_that_its_ticks_leave_out() {
        let mut time = Quantity::new("time");
        assert_eq!([time.label(0), time.label(-3)], ["time", "time (×10⁻³)"]);
        time.unit = "s".to_owned();
        assert_eq!([time.label(0), time.label(3)], ["time (s)", "time (×10³ s)"]);
    }
}
