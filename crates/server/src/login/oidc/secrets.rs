//! What a login is bound to: everything comes from one secret the browser keeps.

use api::identity::random_text;
use api::problem::Answer;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use model::Digest;
use model::id::TenantId;
use uuid::Uuid;

/// The cookie that holds the browser's secret while it is at the provider.
pub(super) const COOKIE: &str = "__Host-countersign-login";

/// The secret of one browser for one login.
#[derive(Clone)]
pub(super) struct Browser(String);

impl Browser {
    /// A fresh one: 32 bytes nobody can guess.
    pub(super) fn fresh() -> Answer<Self> {
        Ok(Self(random_text(32)?))
    }

    /// The one that came back in the cookie.
    pub(super) fn returned(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// What the browser keeps.
    pub(super) fn cookie(&self) -> &str {
        &self.0
    }

    /// What the database keeps.
    pub(super) fn hash(&self) -> Digest {
        self.derived("browser")
    }

    /// What the ID token must carry.
    pub(super) fn nonce(&self) -> String {
        encoded(self.derived("nonce"))
    }

    /// What the code is traded with: RFC 7636, 43 characters.
    pub(super) fn verifier(&self) -> String {
        encoded(self.derived("verifier"))
    }

    /// What the provider is told of the verifier beforehand: method S256.
    pub(super) fn challenge(&self) -> String {
        encoded(Digest::of(self.verifier().as_bytes()))
    }

    fn derived(&self, purpose: &str) -> Digest {
        Digest::of(format!("{purpose}\0{}", self.0).as_bytes())
    }
}

fn encoded(digest: Digest) -> String {
    URL_SAFE_NO_PAD.encode(digest.as_bytes())
}

/// A fresh state. It names the tenant, whose room alone it is looked for in.
pub(super) fn new_state(tenant: TenantId) -> Answer<String> {
    Ok(format!("{}.{}", tenant.uuid().simple(), random_text(32)?))
}

/// The tenant a state names.
pub(super) fn tenant_of(state: &str) -> Option<TenantId> {
    let (tenant, _) = state.split_once('.')?;
    Uuid::try_parse(tenant).ok().map(TenantId::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_to_the_provider_does_not_lead_back_to_what_the_browser_keeps() {
        let browser = Browser::fresh().unwrap();
        let told = [browser.nonce(), browser.challenge()];
        assert!(!told.contains(&browser.verifier()));
        assert!(!told.iter().any(|one| one.contains(browser.cookie())));
        assert_eq!(browser.verifier().len(), 43);
        assert_eq!(Browser::returned(browser.cookie()).verifier(), browser.verifier());
        assert_ne!(Browser::fresh().unwrap().nonce(), browser.nonce());
    }

    #[test]
    fn a_state_names_its_tenant() {
        let tenant = TenantId::generate();
        assert_eq!(tenant_of(&new_state(tenant).unwrap()), Some(tenant));
        for bad in ["", ".", "x.y", "no dot at all"] {
            assert_eq!(tenant_of(bad), None, "{bad}");
        }
    }
}
