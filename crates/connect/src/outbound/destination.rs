//! What a URL names: read strictly, so that what is vetted is what is called.

use std::net::IpAddr;

use url::{Host, Url};

/// The longest URL, in bytes.
const LONGEST: usize = 2_048;

/// What is wrong with the text of a URL. It says nothing about what lies behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UrlFault {
    /// It is no URL, is too long, or holds what no URL may.
    #[error("is no URL of at most {LONGEST} printable ASCII characters")]
    Malformed,
    /// Its scheme is neither `https` nor `http`.
    #[error("must begin with https://")]
    Scheme,
    /// It names a user or a password.
    #[error("must not hold a user or a password")]
    UserInfo,
}

/// What a URL names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Destination {
    pub(super) tls: bool,
    pub(super) host: Named,
    pub(super) port: u16,
    /// The header `Host`.
    pub(super) authority: String,
    /// Path and query, from `/`.
    pub(super) target: String,
}

/// How a host is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Named {
    Address(IpAddr),
    Name(String),
}

impl Destination {
    pub(super) fn parse(text: &str) -> Result<Self, UrlFault> {
        // What `Url` would repair in silence is refused: line breaks and tabs it drops, backslashes
        // it turns, other alphabets it rewrites.
        let plain = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
        if !plain || text.len() > LONGEST {
            return Err(UrlFault::Malformed);
        }
        let url = Url::parse(text).map_err(|_| UrlFault::Malformed)?;
        let tls = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return Err(UrlFault::Scheme),
        };
        let authority = url.authority();
        if authority.contains('@') || text.split(['/', '?', '#']).nth(2).unwrap_or("").contains('@')
        {
            return Err(UrlFault::UserInfo);
        }
        // `Url` has read decimal, octal and hexadecimal spellings of addresses as what they are.
        let host = match url.host().ok_or(UrlFault::Malformed)? {
            Host::Ipv4(ip) => Named::Address(IpAddr::V4(ip)),
            Host::Ipv6(ip) => Named::Address(IpAddr::V6(ip)),
            Host::Domain(name) => match name.trim_end_matches('.') {
                "" => return Err(UrlFault::Malformed),
                name => Named::Name(name.to_owned()),
            },
        };
        let mut target = url.path().to_owned();
        if let Some(query) = url.query() {
            target.push('?');
            target.push_str(query);
        }
        Ok(Self {
            tls,
            host,
            port: url.port_or_known_default().ok_or(UrlFault::Malformed)?,
            authority: authority.to_owned(),
            target,
        })
    }
}
