//! Curves in a line of text.

const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// Characters of a curve.
const WIDTH: usize = 24;

/// A curve from its first to its last step as bars between its lowest and its highest value. Steps without a point repeat
/// the bar before; a curve without points is empty.
pub(crate) fn sparkline(steps: &[u64], values: &[f64]) -> String {
    let (Some(&first), Some(&last)) = (steps.first(), steps.last()) else { return String::new() };
    let lowest = values.iter().copied().fold(f64::INFINITY, f64::min);
    let highest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let width = WIDTH.min(steps.len());
    // The last value in each column is what the curve has come to there.
    let mut columns: Vec<Option<f64>> = vec![None; width];
    for (&step, &value) in steps.iter().zip(values) {
        let share = (step - first) as f64 / (last - first).max(1) as f64;
        columns[((share * width as f64) as usize).min(width - 1)] = Some(value);
    }
    let mut height = 0;
    let bar = |value: Option<f64>| {
        if let Some(value) = value {
            // A difference of two numbers may be beyond what a number can be; their halves' is not.
            let share = (value / 2.0 - lowest / 2.0) / (highest / 2.0 - lowest / 2.0);
            height = if share.is_finite() { ((share * 7.0).round() as usize).min(7) } else { 0 };
        }
        BARS[height]
    };
    columns.into_iter().map(bar).collect()
}

#[cfg(test)]
mod tests {
    use super::sparkline;

    #[test]
    fn a_sparkline_rises_and_falls_with_its_curve() {
        assert_eq!(sparkline(&[1, 2, 3, 4], &[0.0, 1.0, 0.5, 0.0]), "▁█▅▁");
        assert_eq!(sparkline(&[1, 100], &[5.0, 5.0]), "▁▁");
        assert_eq!(sparkline(&[], &[]), "");
        assert_eq!(sparkline(&[7], &[1.0]), "▁");
        assert_eq!(sparkline(&[1, 2], &[f64::MIN, f64::MAX]), "▁█");
        let (steps, values): (Vec<u64>, Vec<f64>) = (0..1000).map(|step| (step, step as f64)).unzip();
        let line = sparkline(&steps, &values);
        assert_eq!(line.chars().count(), 24);
        assert!(line.starts_with('▁') && line.ends_with('█'), "{line}");
    }
}
