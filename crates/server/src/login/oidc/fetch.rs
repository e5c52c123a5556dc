//! Asking an identity provider over the network, and which addresses people are sent to.

use connect::Outbound;
use connect::outbound::{Call, Error, Reply, UrlFault};
use model::secret::Secret;
use url::Url;

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
        reason: Error,
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

/// The address, if people may be sent there and programs may ask there.
///
/// # Errors
/// [`Unanswered::Address`].
pub(super) fn address(text: &str) -> Result<Url, Unanswered> {
    let refused = || Unanswered::Address(text.chars().take(200).collect());
    Outbound::check(text).map_err(|_: UrlFault| refused())?;
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
pub(super) async fn get(
    outbound: &Outbound,
    url: &str,
    bearer: Option<&str>,
) -> Result<Vec<u8>, Unanswered> {
    address(url)?;
    let mut call = Call::get(url).header("accept", "application/json");
    if let Some(token) = bearer {
        call = call.secret_header("authorization", Secret::from(format!("Bearer {token}")));
    }
    answer(url, outbound.send(call).await)
}

/// Sends a form; with `basic`, as the client of this id and secret.
///
/// # Errors
/// [`Unanswered`].
pub(super) async fn post_form(
    outbound: &Outbound,
    url: &str,
    form: String,
    basic: Option<(&str, &str)>,
) -> Result<Vec<u8>, Unanswered> {
    use base64::Engine as _;
    address(url)?;
    let mut call = Call::post(url, "application/x-www-form-urlencoded", form.into_bytes())
        .header("accept", "application/json");
    if let Some((id, secret)) = basic {
        let both = base64::engine::general_purpose::STANDARD.encode(format!("{id}:{secret}"));
        call = call.secret_header("authorization", Secret::from(format!("Basic {both}")));
    }
    answer(url, outbound.send(call).await)
}

fn answer(url: &str, reply: Result<Reply, Error>) -> Result<Vec<u8>, Unanswered> {
    let reply = reply.map_err(|reason| Unanswered::Failed { url: url.to_owned(), reason })?;
    if reply.status.is_success() {
        return Ok(reply.body);
    }
    Err(Unanswered::Status { url: url.to_owned(), status: reply.status.as_u16() })
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
