//! The cookie that a browser's token is kept in.

use axum::http::header::COOKIE;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue};

/// A browser sends the cookies of all ports of a machine to each of them: the name tells them apart.
fn name(host: &Authority) -> String {
    format!("acai-{}", host.port_u16().unwrap_or(0))
}

/// The token in a request's cookie.
pub(super) fn read<'h>(headers: &'h HeaderMap, host: &Authority) -> Option<&'h str> {
    let name = name(host);
    let cookies = headers.get_all(COOKIE).iter().filter_map(|header| header.to_str().ok());
    let mut pairs =
        cookies.flat_map(|header| header.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(known, _)| *known == name).map(|(_, value)| value)
}

/// The header that has a browser keep the token for so many seconds: no script reads it, and no other site's page has it sent.
pub(super) fn keep(token: &str, host: &Authority, is_encrypted: bool, seconds: u64) -> Option<HeaderValue> {
    let secure = if is_encrypted { "; Secure" } else { "" };
    let name = name(host);
    let cookie = format!("{name}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
    let mut cookie = HeaderValue::from_str(&cookie).ok()?;
    cookie.set_sensitive(true);
    Some(cookie)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_read_back_among_others_and_belongs_to_one_port() {
        let host = |host: &str| host.parse::<Authority>().unwrap();
        let kept = keep("acai_read_x_1", &host("localhost:7700"), false, 60).unwrap();
        assert_eq!(
            kept.to_str().unwrap(),
            "acai-7700=acai_read_x_1; Path=/; Max-Age=60; HttpOnly; SameSite=Strict"
        );
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_static("other=1; acai-7700=acai_read_x_1"));
        assert_eq!(read(&headers, &host("127.0.0.1:7700")), Some("acai_read_x_1"));
        assert_eq!(read(&headers, &host("127.0.0.1:7701")), None);
        assert!(keep("t", &host("a"), true, 1).unwrap().to_str().unwrap().ends_with("; Secure"));
    }
}
