//! What a trainer prints: its beginning and its end are kept, for people.

use std::collections::VecDeque;

/// So many bytes are kept of the beginning, and as many of the end.
const PART: usize = 1 << 19;

/// What has been printed for one group.
#[derive(Debug, Default)]
pub(super) struct Output {
    beginning: Vec<u8>,
    end: VecDeque<u8>,
    /// How many bytes between the two are not kept.
    left_out: u64,
}

impl Output {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        let room = (PART - self.beginning.len()).min(bytes.len());
        let (beginning, rest) = bytes.split_at(room);
        self.beginning.extend(beginning);
        self.end.extend(rest);
        let too_many = self.end.len().saturating_sub(PART);
        self.end.drain(..too_many);
        self.left_out += too_many as u64;
    }

    /// All that is kept, with a line that says how much is left out.
    pub(super) fn text(&self) -> String {
        let (first, second) = self.end.as_slices();
        let end = [first, second].concat();
        if self.left_out == 0 {
            return String::from_utf8_lossy(&[self.beginning.as_slice(), &end].concat()).into_owned();
        }
        let (beginning, end) = (String::from_utf8_lossy(&self.beginning), String::from_utf8_lossy(&end));
        format!("{beginning}\n[{} bytes are left out here]\n{end}", self.left_out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_long_output_the_beginning_and_the_end_are_kept_and_what_is_left_out_is_counted() {
        let mut output = Output::default();
        output.push("first line, ä".as_bytes());
        output.push(" and on\n".as_bytes());
        assert_eq!(output.text(), "first line, ä and on\n");
        for _ in 0..300 {
            output.push(&[b'.'; 10_000]);
        }
        output.push(b"\nlast line\n");
        let text = output.text();
        assert!(text.starts_with("first line") && text.ends_with("\nlast line\n"));
        let left_out = 22 + 300 * 10_000 + 11 - 2 * PART;
        assert!(text.contains(&format!("\n[{left_out} bytes are left out here]\n")));
        assert!(text.len() < 2 * PART + 100);
    }
}
