//! What pages load: scripts, styles of figures, and the tab's picture. All of it is in the program; names have a digest, so that
//! browsers keep a file for ever, and load another version's. The pages' own style is in each of them: a browser that has to
//! load it first shows its first page 50 ms later.

use std::fmt::Write as _;
use std::sync::LazyLock;

use axum::body::Bytes;
use axum::extract::Path;
use axum::http::HeaderMap;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::asked::Asked;
use crate::colours;
use crate::gzip;
use crate::problem::{Problem, Result};

struct Asset {
    name: &'static str,
    /// `style.HASH.css`
    hashed: String,
    content_type: &'static str,
    content: Vec<u8>,
    /// The same in fewer bytes, with the headers that say so.
    packed: (HeaderMap, Bytes),
}

const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

/// The style of all pages.
pub(crate) static PAGE_STYLE: LazyLock<String> =
    LazyLock::new(|| format!("{}\n{}", include_str!("../assets/style.css"), colours::rules()));

/// By this a browser knows the style of all pages, and takes no other one that is in a page (CSP level 3, `hash-source`).
pub(crate) fn page_style_source() -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(PAGE_STYLE.as_bytes())))
}

static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    vec![
        asset("app.js", SCRIPT, include_bytes!("../assets/app.js").to_vec()),
        asset("uPlot.min.css", STYLE, include_bytes!("../assets/vendor/uPlot.min.css").to_vec()),
        asset("uPlot.iife.min.js", SCRIPT, include_bytes!("../assets/vendor/uPlot.iife.min.js").to_vec()),
        asset("idiomorph.min.js", SCRIPT, include_bytes!("../assets/vendor/idiomorph.min.js").to_vec()),
    ]
});

fn asset(name: &'static str, content_type: &'static str, content: Vec<u8>) -> Asset {
    let digest = Sha256::digest(&content);
    let hash: String = digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    let (stem, end) = name.rsplit_once('.').unwrap_or((name, ""));
    let mut headers = HeaderMap::new();
    let body = gzip::packed(&mut headers, Bytes::from(content.clone()));
    Asset { name, hashed: format!("{stem}.{hash}.{end}"), content_type, content, packed: (headers, body) }
}

/// The path of an asset.
pub(crate) fn path(name: &str) -> String {
    let asset = ASSETS.iter().find(|asset| asset.name == name);
    format!("assets/{}", asset.map_or(name, |asset| asset.hashed.as_str()))
}

pub(crate) async fn asset_of(Path(hashed): Path<String>, asked: HeaderMap) -> Result<Response> {
    let asset = ASSETS.iter().find(|asset| asset.hashed == hashed);
    let asset =
        asset.ok_or_else(|| Problem::not_found("these pages are of another version: reload the page"))?;
    let headers =
        [(CONTENT_TYPE, asset.content_type), (CACHE_CONTROL, "public, max-age=31536000, immutable")];
    Ok(match gzip::is_accepted(&asked) {
        true => (headers, asset.packed.clone()).into_response(),
        false => (headers, asset.content.as_slice()).into_response(),
    })
}

/// A ring that is as full as the sweep is done.
pub(crate) async fn favicon(asked: Asked) -> Response {
    let number = |name: &str| asked.question.get(name).and_then(|text| text.parse::<f64>().ok());
    let share = match (number("done"), number("of")) {
        (Some(done), Some(of)) if of > 0.0 => (done / of).clamp(0.0, 1.0),
        _ => 1.0,
    };
    let around = std::f64::consts::TAU * 12.0;
    let mut svg = String::from("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 32 32\">");
    let _ = write!(
        svg,
        "<circle cx=\"16\" cy=\"16\" r=\"12\" fill=\"none\" stroke=\"#8884\" stroke-width=\"7\"/>\
         <circle cx=\"16\" cy=\"16\" r=\"12\" fill=\"none\" stroke=\"#7a3fb5\" stroke-width=\"7\" \
         stroke-dasharray=\"{:.1} {around:.1}\" transform=\"rotate(-90 16 16)\"/></svg>",
        share * around
    );
    ([(CONTENT_TYPE, "image/svg+xml"), (CACHE_CONTROL, "public, max-age=86400")], svg).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The files of others are those that VENDOR.md names, to the byte.
    #[test]
    fn vendored_files_have_the_digests_that_are_written_beside_them() {
        let written = include_str!("../assets/vendor/VENDOR.md");
        for asset in ASSETS.iter().filter(|asset| asset.name.contains(".min.")) {
            let digest =
                Sha256::digest(&asset.content).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
            let row = format!("| `{}` | `{digest}` |", asset.name);
            assert!(written.contains(&row), "{row}");
        }
    }

    #[test]
    fn no_asset_names_another_server() {
        for text in [PAGE_STYLE.as_str(), include_str!("../assets/app.js")] {
            assert!(!text.contains("//cdn") && !text.contains("https://"), "{text}");
        }
    }
}
