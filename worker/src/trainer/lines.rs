//! Lines from another program, of a bounded length.

use std::io;

use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt};

/// What [`next_line`] found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// A whole line, without its end.
    Whole(Vec<u8>),
    /// `limit` bytes without an end of line, or the rest of the input if that has no end of line.
    Cut(Vec<u8>),
}

/// The next line of at most `limit` bytes; `None` at the end of input. Not cancel safe.
pub(crate) async fn next_line(
    reader: &mut (impl AsyncBufRead + Unpin),
    limit: u64,
) -> io::Result<Option<Line>> {
    let mut bytes = Vec::new();
    if reader.take(limit).read_until(b'\n', &mut bytes).await? == 0 {
        return Ok(None);
    }
    Ok(Some(if bytes.pop_if(|last| *last == b'\n').is_some() {
        Line::Whole(bytes)
    } else {
        Line::Cut(bytes)
    }))
}

/// The longest start of `text` of at most `limit` bytes.
pub(crate) fn cut(text: &str, limit: usize) -> &str {
    &text[..text.floor_char_boundary(limit)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lines_are_whole_or_cut_at_the_limit_and_at_the_end() {
        let mut input: &[u8] = b"one\n\nlonger than it may be\nrest";
        let mut lines = Vec::new();
        while let Some(line) = next_line(&mut input, 10).await.unwrap() {
            lines.push(line);
        }
        let whole = |text: &str| Line::Whole(text.into());
        let cut = |text: &str| Line::Cut(text.into());
        let expected =
            [whole("one"), whole(""), cut("longer tha"), cut("n it may b"), whole("e"), cut("rest")];
        assert_eq!(lines, expected);
    }

    #[test]
    fn text_is_cut_between_characters() {
        assert_eq!(cut("aä", 2), "a");
        assert_eq!(cut("aä", 3), "aä");
    }
}
