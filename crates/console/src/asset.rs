//! Files by their names: only of the types the console has, compressed where that is understood,
//! and kept by browsers as long as they may be.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};

use crate::{File, Files};

/// What the console is made of, by the end of a name. Anything else is not answered, whatever
/// directory it got into.
const TYPES: [(&str, &str); 9] = [
    ("css", "text/css; charset=utf-8"),
    ("ico", "image/x-icon"),
    ("js", "text/javascript; charset=utf-8"),
    ("json", "application/json"),
    ("png", "image/png"),
    ("svg", "image/svg+xml"),
    ("txt", "text/plain; charset=utf-8"),
    ("webmanifest", "application/manifest+json"),
    ("woff2", "font/woff2"),
];

/// Where the files are whose names hold a hash of what is in them.
const HASHED: &str = "assets/";
const FOR_EVER: &str = "public, max-age=31536000, immutable";
const ASK_EACH_TIME: &str = "no-cache";
/// Bytes of a digest in an `ETag`: enough to tell versions of one file apart.
const TAG_BYTES: usize = 16;
/// What a drawing opened by itself may do: look as it does.
const BY_ITSELF: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";

/// Whether a name is one of a file: a page is never answered in its stead.
pub(crate) fn named(name: &str) -> bool {
    name.starts_with(HASHED) || kind(name).is_some()
}

/// The media type by the end of a name.
fn kind(name: &str) -> Option<&'static str> {
    let (_, last) = name.rsplit_once('/').unwrap_or(("", name));
    let (_, end) = last.rsplit_once('.')?;
    TYPES.iter().find(|(known, _)| *known == end).map(|(_, kind)| *kind)
}

/// Whether a name is made as the build makes them: nothing hidden, nothing above, nothing encoded.
fn plain(name: &str) -> bool {
    name.split('/').all(|segment| {
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        !segment.is_empty() && !segment.starts_with('.') && segment.bytes().all(letter)
    })
}

/// The file of this name as whoever asks takes it; `None` when there is none of a known type.
pub(crate) fn answer(files: Files, name: &str, asked: &HeaderMap) -> Option<Response<Bytes>> {
    let kind = kind(name)?;
    let whole = if plain(name) { files(name)? } else { return None };
    let small = files(&format!("{name}.br"));
    let varies = small.is_some();
    let small = small.filter(|_| takes_brotli(asked));
    let encoded = small.is_some();
    let File { bytes, digest } = small.unwrap_or(whole);
    let mut response = Response::new(bytes);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(BY_ITSELF));
    if varies {
        headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    }
    if encoded {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("br"));
    }
    if name.starts_with(HASHED) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(FOR_EVER));
        return Some(response);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(ASK_EACH_TIME));
    let tag = format!("\"{}\"", hex::encode(digest.get(..TAG_BYTES).unwrap_or(&digest)));
    let has = known(asked, &tag);
    if let Ok(tag) = HeaderValue::try_from(tag) {
        headers.insert(header::ETAG, tag);
    }
    if has {
        headers.remove(header::CONTENT_TYPE);
        headers.remove(header::CONTENT_ENCODING);
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        *response.body_mut() = Bytes::new();
    }
    Some(response)
}

/// The words of all headers of one name, between commas.
fn words(asked: &HeaderMap, name: header::HeaderName) -> impl Iterator<Item = &str> {
    asked
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
}

/// Whether brotli is taken: it is named, and not with a weight of nothing (RFC 9110, 12.5.3).
fn takes_brotli(asked: &HeaderMap) -> bool {
    words(asked, header::ACCEPT_ENCODING).any(|word| {
        let (coding, weight) = word.split_once(';').unwrap_or((word, "q=1"));
        let weight = weight.trim().strip_prefix("q=").and_then(|q| q.trim().parse::<f32>().ok());
        coding.trim().eq_ignore_ascii_case("br") && weight.is_some_and(|weight| weight > 0.0)
    })
}

/// Whether whoever asks has this version already (RFC 9110, 13.1.2).
fn known(asked: &HeaderMap, tag: &str) -> bool {
    words(asked, header::IF_NONE_MATCH)
        .any(|word| word == "*" || word.strip_prefix("W/").unwrap_or(word) == tag)
}
