//! Who we are to Azure: an application with a secret or with a token of somebody Azure trusts, or
//! the identity of the machine.

use jiff::Timestamp;
use model::secret::Secret;

use super::Place;
use crate::calls::{Login, Way, encoded};
use crate::error::Error;

/// Where a machine of Azure's finds its own identity (Azure Instance Metadata Service).
const METADATA: &str = "http://169.254.169.254/metadata/identity/oauth2/token";
/// Microsoft identity platform, "Access token request with a certificate" and "with a federated
/// credential": how a token in the place of a secret is announced.
const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Who we are to Azure.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// An application with its secret (client credentials grant).
    Secret {
        /// The directory.
        tenant: String,
        /// The application.
        client: String,
        /// The secret.
        secret: Secret,
    },
    /// An application that somebody else vouches for: a cluster, a pipeline.
    Federated {
        /// The directory.
        tenant: String,
        /// The application.
        client: String,
        /// The token of the one who vouches.
        token: Secret,
    },
    /// The identity of the machine we run on.
    Managed {
        /// Which one, where it has several.
        client: Option<String>,
        /// Where it is asked for and with what, in App Service and in containers
        /// (`IDENTITY_ENDPOINT`, `IDENTITY_HEADER`).
        endpoint: Option<(String, Secret)>,
    },
}

/// The credentials with where they are shown.
pub(super) struct AzureLogin {
    credentials: Credentials,
    authority: String,
    /// What the token is for: the manager, which in tests and elsewhere is not under its own name.
    audience: String,
}

impl Credentials {
    pub(super) fn login(self, place: &Place) -> Result<AzureLogin, Error> {
        if let Self::Secret { tenant, .. } | Self::Federated { tenant, .. } = &self {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-".contains(&byte);
            // It becomes a part of the address.
            if tenant.is_empty() || tenant.len() > 253 || !tenant.bytes().all(plain) {
                return Err(Error::Unusable { fault: "a directory is a UUID or a domain" });
            }
        }
        Ok(AzureLogin {
            credentials: self,
            authority: place.authority.trim_end_matches('/').to_owned(),
            audience: place.manager.trim_end_matches('/').to_owned(),
        })
    }
}

impl AzureLogin {
    fn granted(&self, tenant: &str, client: &str, more: Vec<(&'static str, Secret)>) -> Way {
        let plain = |text: &str| Secret::from(text.to_owned());
        let mut form = vec![
            ("grant_type", plain("client_credentials")),
            ("client_id", plain(client)),
            ("scope", plain(&format!("{}/.default", self.audience))),
        ];
        form.extend(more);
        Way::Ask {
            call: "a token of Microsoft Entra",
            url: format!("{}/{tenant}/oauth2/v2.0/token", self.authority),
            headers: Vec::new(),
            form: Some(form),
        }
    }
}

impl Login for AzureLogin {
    fn way(&self, _now: Timestamp) -> Result<Way, Error> {
        let plain = |text: &str| Secret::from(text.to_owned());
        Ok(match &self.credentials {
            Credentials::Secret { tenant, client, secret } => {
                self.granted(tenant, client, vec![("client_secret", secret.clone())])
            }
            Credentials::Federated { tenant, client, token } => {
                let more = vec![
                    ("client_assertion_type", plain(ASSERTION)),
                    ("client_assertion", token.clone()),
                ];
                self.granted(tenant, client, more)
            }
            Credentials::Managed { client, endpoint } => {
                let resource = encoded(format!("{}/", self.audience).as_bytes());
                let (base, version, header) = match endpoint {
                    Some((url, key)) => {
                        (url.as_str(), "2019-08-01", ("x-identity-header", key.clone()))
                    }
                    None => (METADATA, "2018-02-01", ("metadata", plain("true"))),
                };
                let mut url = format!("{base}?api-version={version}&resource={resource}");
                if let Some(client) = client {
                    url.push_str(&format!("&client_id={}", encoded(client.as_bytes())));
                }
                Way::Ask {
                    call: "a token of the machine's identity",
                    url,
                    headers: vec![header],
                    form: None,
                }
            }
        })
    }
}
