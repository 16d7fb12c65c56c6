//! Whether a JPEG is all there. Its decoder fills what is missing with grey and says nothing.
//!
//! Format: ITU-T T.81, annex B. Segments start with a marker, 0xff and a code, and most say their length. Behind a scan's
//! header comes data of unknown length, where 0xff is followed by 0 or by a restart marker; progressive pictures have
//! several scans. Phones put films and more behind the end of a picture.

const START: u8 = 0xd8;
const END: u8 = 0xd9;
/// A marker without a segment, of arithmetic coding.
const TEMPORARY: u8 = 0x01;
const FIRST_RESTART: u8 = 0xd0;
const LAST_RESTART: u8 = 0xd7;
/// Not a marker: a byte 0xff of data.
const STUFFED: u8 = 0x00;
/// Not a marker yet: any number of 0xff may stand before one.
const FILL: u8 = 0xff;

/// Whether a JPEG's end marker is there, which is the first outside of other segments.
pub(crate) fn has_end(bytes: &[u8]) -> bool {
    let mut at = 0;
    while let Some(pair) = bytes.get(at..at + 2) {
        at += match *pair {
            [0xff, END] => return true,
            [0xff, STUFFED | START | TEMPORARY | FIRST_RESTART..=LAST_RESTART] => 2,
            [0xff, FILL] | [..=0xfe, _] => 1,
            _ => 2 + segment_len(&bytes[at + 2..]),
        };
    }
    false
}

/// Length of a segment, which its first two bytes say.
fn segment_len(segment: &[u8]) -> usize {
    segment.first_chunk().map_or(0, |len| u16::from_be_bytes(*len).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A progressive picture's segments: a thumbnail with an end of its own, a table, two scans with data.
    const PROGRESSIVE: &[u8] = b"\xff\xd8\xff\xe1\0\x08\xff\xd8\xff\xda\xff\xd9\xff\xff\xc4\0\x03\xff\
        \xff\xda\0\x04\xff\xd9data\xff\0\xff\xd3\xff\0\xd9\xff\xda\0\x02more\xff\xff\xd9";

    #[test]
    fn the_end_is_the_first_end_marker_outside_of_segments() {
        let whole = PROGRESSIVE.len();
        assert!(has_end(PROGRESSIVE));
        assert!((0..whole).all(|len| !has_end(&PROGRESSIVE[..len])), "none before it");
        let film = b"\0\0\0\x18ftypmp42 \xff\xd9 \xff\xda \xff";
        assert!(has_end(&[PROGRESSIVE, film].concat()));
    }

    #[test]
    fn senseless_segments_are_passed_over() {
        for senseless in
            [b"".as_slice(), b"\xff", b"\xff\xd8\xff\xe1\0", b"\xff\xe1\xff\xff\xff\xd9", b"\xff\xe1\0\0"]
        {
            assert!(!has_end(senseless), "{senseless:x?}");
        }
    }
}
