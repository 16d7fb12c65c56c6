//! Answers in fewer bytes: a large page has a tenth of its size then, for every tab that it is sent to.

use std::io::Write as _;

use axum::body::Bytes;
use axum::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, VARY};
use axum::http::{HeaderMap, HeaderValue};
use flate2::Compression;
use flate2::write::GzEncoder;

/// Less is sent as it is.
const SMALLEST: usize = 4096;

/// Whether who asks can read it.
pub(crate) fn is_accepted(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|line| line.to_str().ok());
    let mut words = lines.flat_map(|line| line.split(','));
    words.any(|word| {
        let (name, weight) = word.split_once(';').unwrap_or((word, ""));
        name.trim() == "gzip" && !matches!(weight.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000")
    })
}

/// The body packed, where that is worth it, and said in the headers.
pub(crate) fn packed(headers: &mut HeaderMap, body: Bytes) -> Bytes {
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    if body.len() < SMALLEST {
        return body;
    }
    let Some(packed) = pack(&body) else { return body };
    headers.remove(CONTENT_LENGTH);
    headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    packed.into()
}

fn pack(body: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body).ok()?;
    encoder.finish().ok()
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::GzDecoder;

    use super::*;

    #[test]
    fn only_who_says_so_is_taken_to_read_it() {
        let accepts = |line: &'static str| {
            let header = (ACCEPT_ENCODING, HeaderValue::from_static(line));
            is_accepted(&HeaderMap::from_iter([header]))
        };
        assert!(accepts("gzip, deflate, br, zstd") && accepts("br;q=1.0, gzip;q=0.8"));
        assert!(!accepts("identity") && !accepts("gzip;q=0, br") && !accepts("x-gzip2"));
        assert!(!is_accepted(&HeaderMap::new()));
    }

    #[test]
    fn what_is_packed_is_unpacked_to_the_same_and_what_is_small_is_left() {
        let (mut headers, page) = (HeaderMap::new(), Bytes::from("a cell ".repeat(1000)));
        let packed_page = packed(&mut headers, page.clone());
        assert_eq!(headers[CONTENT_ENCODING], "gzip");
        let mut unpacked = Vec::new();
        GzDecoder::new(&packed_page[..]).read_to_end(&mut unpacked).unwrap();
        assert!(unpacked == page && packed_page.len() * 10 < page.len());
        let (mut headers, small) = (HeaderMap::new(), Bytes::from("small"));
        assert_eq!(packed(&mut headers, small.clone()), small);
        assert!(!headers.contains_key(CONTENT_ENCODING));
    }
}
