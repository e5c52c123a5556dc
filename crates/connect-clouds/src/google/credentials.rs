//! Who we are to Google: a service account with its key, a person who lent their own, the machine,
//! or a token at hand.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use model::secret::Secret;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde::Deserialize;
use serde_json::json;

use crate::calls::{Login, Way};
use crate::error::Error;

/// What a token is for. The inventory knows no narrower scope; what may be read the roles say.
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
/// "Using OAuth 2.0 for server to server applications".
const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// Who gives tokens, where a key does not say.
const TOKENS: &str = "https://oauth2.googleapis.com/token";
/// For how many seconds an assertion is good; an hour is the most Google takes.
const LIFE: i64 = 3_600;

/// Who we are to Google.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// What a file of credentials holds: the key of a service account, or what `gcloud auth
    /// application-default login` left.
    File(Secret),
    /// The service account of the machine we run on, under this host's metadata.
    Machine(String),
    /// A token.
    Token(Secret),
}

/// A file of credentials.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum File {
    ServiceAccount {
        client_email: String,
        private_key: String,
        #[serde(default)]
        private_key_id: Option<String>,
        #[serde(default)]
        token_uri: Option<String>,
    },
    AuthorizedUser {
        client_id: String,
        client_secret: String,
        refresh_token: String,
    },
}

/// A service account.
struct Account {
    email: String,
    key: RsaKeyPair,
    key_id: Option<String>,
    tokens: String,
}

/// A person.
struct Person {
    client_id: Secret,
    client_secret: Secret,
    refresh_token: Secret,
}

struct Machine(String);

struct Held(Secret);

impl Credentials {
    pub(super) fn login(self) -> Result<Box<dyn Login>, Error> {
        let file = match self {
            Self::File(file) => file,
            Self::Machine(host) => return Ok(Box::new(Machine(host))),
            Self::Token(token) => return Ok(Box::new(Held(token))),
        };
        // What is wrong with it would tell what it holds.
        let fault = "they are neither the key of a service account nor an authorized user's";
        let file = serde_json::from_slice(file.expose()).map_err(|_| Error::Unusable { fault })?;
        Ok(match file {
            File::ServiceAccount { client_email, private_key, private_key_id, token_uri } => {
                let fault = "the private key is no RSA key in PKCS #8";
                let pem = Secret::from(private_key);
                let der = PrivatePkcs8KeyDer::from_pem_slice(pem.expose())
                    .map_err(|_| Error::Unusable { fault })?;
                let key = RsaKeyPair::from_pkcs8(der.secret_pkcs8_der())
                    .map_err(|_| Error::Unusable { fault })?;
                let tokens = token_uri.unwrap_or_else(|| TOKENS.to_owned());
                Box::new(Account { email: client_email, key, key_id: private_key_id, tokens })
            }
            File::AuthorizedUser { client_id, client_secret, refresh_token } => {
                let [client_id, client_secret, refresh_token] =
                    [client_id, client_secret, refresh_token].map(Secret::from);
                Box::new(Person { client_id, client_secret, refresh_token })
            }
        })
    }
}

impl Account {
    /// What says who we are, signed (RFC 7523).
    fn assertion(&self, now: Timestamp) -> Result<Secret, Error> {
        let part = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let head = match &self.key_id {
            Some(id) => json!({ "alg": "RS256", "typ": "JWT", "kid": id }),
            None => json!({ "alg": "RS256", "typ": "JWT" }),
        };
        let claims = json!({
            "iss": self.email,
            "scope": SCOPE,
            "aud": self.tokens,
            "iat": now.as_second(),
            "exp": now.as_second() + LIFE,
        });
        let text = format!("{}.{}", part(&head), part(&claims));
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature)
            .map_err(|_| Error::Unusable { fault: "nothing can be signed with them" })?;
        Ok(Secret::from(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))))
    }
}

impl Login for Account {
    fn way(&self, now: Timestamp) -> Result<Way, Error> {
        let grant = Secret::from(GRANT.to_owned());
        Ok(Way::Ask {
            call: "a token of Google's",
            url: self.tokens.clone(),
            headers: Vec::new(),
            form: Some(vec![("grant_type", grant), ("assertion", self.assertion(now)?)]),
        })
    }
}

impl Login for Person {
    fn way(&self, _now: Timestamp) -> Result<Way, Error> {
        Ok(Way::Ask {
            call: "a token of Google's",
            url: TOKENS.to_owned(),
            headers: Vec::new(),
            form: Some(vec![
                ("grant_type", Secret::from("refresh_token".to_owned())),
                ("client_id", self.client_id.clone()),
                ("client_secret", self.client_secret.clone()),
                ("refresh_token", self.refresh_token.clone()),
            ]),
        })
    }
}

impl Login for Machine {
    fn way(&self, _now: Timestamp) -> Result<Way, Error> {
        let path = "computeMetadata/v1/instance/service-accounts/default/token";
        Ok(Way::Ask {
            call: "a token of the machine's service account",
            url: format!("http://{}/{path}", self.0),
            headers: vec![("metadata-flavor", Secret::from("Google".to_owned()))],
            form: None,
        })
    }
}

impl Login for Held {
    fn way(&self, _now: Timestamp) -> Result<Way, Error> {
        Ok(Way::Held(self.0.clone()))
    }
}
