//! Asking an identity provider over the network: the one place that does.
//!
//! No redirects are followed, answers are capped and late ones given up, and nothing is asked in
//! the clear but of this machine itself.

use std::sync::LazyLock;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Url};

/// How long a provider may take for one answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest answer that is read, in bytes.
const MOST: usize = 512 << 10;

/// Why a provider was not asked, or did not answer.
#[derive(Debug, Clone, thiserror::Error)]
pub(super) enum Unanswered {
    /// The address may not be asked.
    #[error("{0} must be an https address, or an http address of this machine")]
    Address(String),
    /// Nothing came.
    #[error("{url} did not answer: {reason}")]
    Failed {
        /// Who was asked.
        url: String,
        /// What happened.
        reason: String,
    },
    /// Something else came than what was asked for.
    #[error("{url} answered with status {status}")]
    Status {
        /// Who was asked.
        url: String,
        /// What they said.
        status: u16,
    },
}

/// The client all of it goes through.
static CLIENT: LazyLock<Result<Client, String>> = LazyLock::new(|| {
    Client::builder()
        .redirect(Policy::none())
        .timeout(PATIENCE)
        .connect_timeout(PATIENCE / 2)
        .user_agent("countersign")
        .build()
        .map_err(|error| error.to_string())
});

/// The address, if it may be asked.
///
/// # Errors
/// [`Unanswered::Address`].
pub(super) fn address(text: &str) -> Result<Url, Unanswered> {
    let refused = || Unanswered::Address(text.chars().take(200).collect());
    let url = Url::parse(text).map_err(|_| refused())?;
    let own = matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"));
    let secure = url.scheme() == "https" || (url.scheme() == "http" && own);
    let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    if secure && plain && url.host_str().is_some() { Ok(url) } else { Err(refused()) }
}

/// Asks for a document; with `bearer`, as its holder.
///
/// # Errors
/// [`Unanswered`].
pub(super) async fn get(url: &str, bearer: Option<&str>) -> Result<Bytes, Unanswered> {
    let mut request = client(url)?.get(address(url)?).header("accept", "application/json");
    if let Some(token) = bearer {
        request = request.bearer_auth(token);
    }
    answer(url, request).await
}

/// Sends a form; with `basic`, as the client of this id and secret.
///
/// # Errors
/// [`Unanswered`].
pub(super) async fn post_form(
    url: &str,
    form: String,
    basic: Option<(&str, &str)>,
) -> Result<Bytes, Unanswered> {
    let mut request = client(url)?
        .post(address(url)?)
        .header("accept", "application/json")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form);
    if let Some((id, secret)) = basic {
        request = request.basic_auth(id, Some(secret));
    }
    answer(url, request).await
}

fn client(url: &str) -> Result<&'static Client, Unanswered> {
    CLIENT
        .as_ref()
        .map_err(|reason| Unanswered::Failed { url: url.to_owned(), reason: reason.clone() })
}

async fn answer(url: &str, request: RequestBuilder) -> Result<Bytes, Unanswered> {
    // An error's own words name the address with its query, where a secret might be.
    let failed = |error: reqwest::Error| Unanswered::Failed {
        url: url.to_owned(),
        reason: error.without_url().to_string(),
    };
    let mut response = request.send().await.map_err(failed)?;
    let status = response.status();
    if !status.is_success() {
        return Err(Unanswered::Status { url: url.to_owned(), status: status.as_u16() });
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if body.len() + chunk.len() > MOST {
            let reason = format!("the answer has more than {MOST} bytes");
            return Err(Unanswered::Failed { url: url.to_owned(), reason });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn only_secure_addresses_and_this_machine_are_asked() {
        for good in [
            "https://login.example.com",
            "https://login.example.com:8443/realms/a",
            "http://127.0.0.1:4000/a",
            "http://localhost:1",
            "http://[::1]:1/",
        ] {
            assert!(address(good).is_ok(), "{good}");
        }
        for bad in [
            "http://login.example.com",
            "http://169.254.169.254/latest",
            "http://127.0.0.1.example.com/",
            "file:///etc/passwd",
            "ftp://127.0.0.1/",
            "https://user:word@login.example.com",
            "https://login.example.com/#part",
            "//login.example.com",
            "",
        ] {
            assert!(address(bad).is_err(), "{bad}");
        }
    }
}
