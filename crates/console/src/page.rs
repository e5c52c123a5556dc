//! The one page of the console, and the page that says it was not built.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, header};

use crate::{Files, Nonce};

/// The page's file.
pub(crate) const FILE: &str = "index.html";
/// What the build leaves in the page where the nonce belongs.
const PLACE: &str = "__NONCE__";
/// What is shown where there is no console.
const MISSING: &str = include_str!("missing.html");

/// What browsers offer pages and the console needs nothing of.
const OFF: [&str; 27] = [
    "accelerometer",
    "autoplay",
    "camera",
    "clipboard-read",
    "compute-pressure",
    "display-capture",
    "encrypted-media",
    "fullscreen",
    "gamepad",
    "geolocation",
    "gyroscope",
    "hid",
    "idle-detection",
    "local-fonts",
    "magnetometer",
    "microphone",
    "midi",
    "otp-credentials",
    "payment",
    "picture-in-picture",
    "publickey-credentials-create",
    "publickey-credentials-get",
    "screen-wake-lock",
    "serial",
    "usb",
    "window-management",
    "xr-spatial-tracking",
];
const PERMISSIONS: HeaderName = HeaderName::from_static("permissions-policy");

/// Whether whoever asks names a page among what they take. A program that takes anything is not
/// given one for a path that means nothing.
pub(crate) fn wanted(asked: &HeaderMap) -> bool {
    asked.get_all(header::ACCEPT).iter().any(|value| {
        let value = value.to_str().unwrap_or_default().to_ascii_lowercase();
        value.contains("text/html") || value.contains("application/xhtml+xml")
    })
}

/// The page with this nonce, for one answer.
pub(crate) fn made(files: Files, nonce: &Nonce) -> Response<Bytes> {
    let Nonce(nonce) = nonce;
    let (text, policy) = match files(FILE) {
        Some(file) => (
            String::from_utf8_lossy(&file.bytes).replace(PLACE, nonce),
            format!(
                "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; \
                 img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; \
                 form-action 'self'; frame-ancestors 'none'"
            ),
        ),
        None => (
            MISSING.replace(PLACE, nonce),
            format!(
                "default-src 'none'; style-src 'nonce-{nonce}'; base-uri 'none'; \
                 form-action 'none'; frame-ancestors 'none'"
            ),
        ),
    };
    let mut response = Response::new(Bytes::from(text));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let policy = HeaderValue::try_from(policy).expect("base64 and our own words are ASCII");
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    let off = OFF.map(|feature| format!("{feature}=()")).join(", ");
    let off = HeaderValue::try_from(off).expect("names of features are ASCII");
    headers.insert(PERMISSIONS, off);
    response
}
