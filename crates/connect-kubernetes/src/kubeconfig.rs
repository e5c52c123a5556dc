//! Where a cluster is and who we are to it: from a kubeconfig, or from inside a pod.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::secret::Secret;
use serde::{Deserialize, Deserializer};

#[cfg(test)]
mod tests;

/// Why a kubeconfig cannot be used. No part of a secret is repeated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadKubeconfig {
    /// It is no YAML, or not of this shape.
    #[error("is no kubeconfig: line {line}, column {column}")]
    Malformed {
        /// Where, from 1.
        line: u64,
        /// Where, from 1.
        column: u64,
    },
    /// No context was asked for, and it names none as its own.
    #[error("names no current context; say which")]
    NoContext,
    /// Something is referred to that it does not have.
    #[error("has no {what} called `{name}`")]
    Missing {
        /// `context`, `cluster` or `user`.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// It asks for something that is not done here.
    #[error("`{field}` is not supported: {instead}")]
    Unsupported {
        /// The field.
        field: &'static str,
        /// What to do instead.
        instead: &'static str,
    },
    /// A field holds no Base64 text.
    #[error("`{0}` is no Base64 text")]
    Encoding(&'static str),
    /// A client certificate without its key, or the other way round.
    #[error("a client certificate and its key are given together")]
    Half,
    /// A file it names was not given.
    #[error("the file `{0}` it names was not given")]
    File(String),
}

/// Where a cluster is and who we are to it. No secret prints itself.
#[derive(Debug, Clone)]
pub struct Config {
    /// The API server: `https://10.0.0.1:6443`, perhaps with a path.
    pub server: String,
    /// The certificates the server's is to be from, PEM; the system's authorities when absent.
    pub authority: Option<Vec<u8>>,
    /// Who we are.
    pub login: Login,
    /// The namespace of objects that name none.
    pub namespace: String,
}

/// Who we are to a cluster.
#[derive(Debug, Clone)]
pub enum Login {
    /// Nobody: for servers that ask nothing.
    Anonymous,
    /// Who bears a token.
    Token(Secret),
    /// Whom a certificate names.
    Certificate {
        /// The certificate and those between it and its authority, PEM.
        chain: Vec<u8>,
        /// Its key, PEM.
        key: Secret,
    },
}

impl Config {
    /// As a pod's service account has it: the environment's host and port, and the mounted token,
    /// authority and namespace.
    #[must_use]
    pub fn in_cluster(
        host: &str,
        port: u16,
        token: &Secret,
        authority: Vec<u8>,
        namespace: &str,
    ) -> Self {
        // An IPv6 address is written in brackets.
        let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        Self {
            server: format!("https://{host}:{port}"),
            authority: Some(authority),
            login: Login::Token(trimmed(token)),
            namespace: namespace.trim().to_owned(),
        }
    }
}

/// One context of a kubeconfig. Files it names are read by whoever may read files.
#[derive(Debug, Clone)]
pub struct Kubeconfig {
    server: String,
    namespace: String,
    authority: Option<Text>,
    token: Option<Text>,
    certificate: Option<Text>,
    key: Option<Text>,
}

/// What is written in a kubeconfig, or in a file it names.
#[derive(Debug, Clone)]
enum Text {
    Here(Secret),
    File(String),
}

impl Kubeconfig {
    /// Reads the context of this name, or the one the text calls current. Of other contexts nothing
    /// is looked at.
    ///
    /// # Errors
    /// When it is no kubeconfig, lacks what it refers to, or wants what is not done here: programs
    /// that log in, passwords, impersonation, proxies, servers nobody vouches for.
    pub fn read(text: &str, context: Option<&str>) -> Result<Self, BadKubeconfig> {
        let file: File = serde_saphyr::from_str_with_options(text, options()).map_err(|error| {
            let place = error.location();
            BadKubeconfig::Malformed {
                line: place.as_ref().map_or(1, serde_saphyr::Location::line),
                column: place.as_ref().map_or(1, serde_saphyr::Location::column),
            }
        })?;
        let current = Some(file.current_context.as_str()).filter(|name| !name.is_empty());
        let name = context.or(current).ok_or(BadKubeconfig::NoContext)?;
        let missing = |what, name: &str| BadKubeconfig::Missing { what, name: name.to_owned() };
        let context = find(&file.contexts, name).ok_or_else(|| missing("context", name))?;
        let cluster = &context.context.cluster;
        let cluster =
            &find(&file.clusters, cluster).ok_or_else(|| missing("cluster", cluster))?.cluster;
        let nobody = User::default();
        let user = match context.context.user.as_str() {
            "" => &nobody,
            name => &find(&file.users, name).ok_or_else(|| missing("user", name))?.user,
        };
        cluster.supported()?;
        user.supported()?;
        let (certificate, key) = (
            one(
                "client-certificate-data",
                user.certificate_data.as_ref(),
                user.certificate.as_ref(),
            )?,
            one("client-key-data", user.key_data.as_ref(), user.key.as_ref())?,
        );
        if certificate.is_some() != key.is_some() {
            return Err(BadKubeconfig::Half);
        }
        let token = user.token.clone().filter(|token| !token.expose().is_empty());
        let namespace = context.context.namespace.as_str();
        Ok(Self {
            server: cluster.server.clone(),
            namespace: if namespace.is_empty() { "default" } else { namespace }.to_owned(),
            authority: one(
                "certificate-authority-data",
                cluster.authority_data.as_ref(),
                cluster.authority.as_ref(),
            )?,
            token: token.map(Text::Here).or_else(|| user.token_file.clone().map(Text::File)),
            certificate,
            key,
        })
    }

    /// The files it names, as it names them: relative ones are beside the kubeconfig.
    #[must_use]
    pub fn files(&self) -> Vec<&str> {
        let texts = [&self.authority, &self.token, &self.certificate, &self.key];
        let named = texts.into_iter().flatten().filter_map(|text| match text {
            Text::File(name) => Some(name.as_str()),
            Text::Here(_) => None,
        });
        named.collect()
    }

    /// The whole, with what its files hold.
    ///
    /// # Errors
    /// When `file` does not give one of them.
    pub fn config(self, file: impl Fn(&str) -> Option<Secret>) -> Result<Config, BadKubeconfig> {
        let text = |text: Option<Text>| match text {
            None => Ok(None),
            Some(Text::Here(text)) => Ok(Some(text)),
            Some(Text::File(name)) => file(&name).map(Some).ok_or(BadKubeconfig::File(name)),
        };
        let authority = text(self.authority)?.map(|authority| authority.expose().to_vec());
        let login = match (text(self.token)?, text(self.certificate)?, text(self.key)?) {
            // As client-go: a certificate is shown in the handshake, before any token.
            (_, Some(chain), Some(key)) => {
                Login::Certificate { chain: chain.expose().to_vec(), key }
            }
            (Some(token), ..) => Login::Token(trimmed(&token)),
            (None, ..) => Login::Anonymous,
        };
        Ok(Config { server: self.server, authority, login, namespace: self.namespace })
    }
}

/// A token as a file holds it may have a line break behind it.
fn trimmed(token: &Secret) -> Secret {
    Secret::new(token.expose().trim_ascii().to_vec())
}

/// What is given in the text, else the file that is named.
fn one(
    field: &'static str,
    data: Option<&Secret>,
    file: Option<&String>,
) -> Result<Option<Text>, BadKubeconfig> {
    if let Some(data) = data.filter(|data| !data.expose().is_empty()) {
        let text = STANDARD.decode(data.expose().trim_ascii());
        return match text {
            Ok(text) => Ok(Some(Text::Here(Secret::new(text)))),
            Err(_) => Err(BadKubeconfig::Encoding(field)),
        };
    }
    Ok(file.filter(|file| !file.is_empty()).cloned().map(Text::File))
}

fn options() -> serde_saphyr::Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! { max_documents: 1, max_depth: 24, max_nodes: 50_000 },
        with_snippet: false,
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct File {
    #[serde(default)]
    current_context: String,
    #[serde(default)]
    contexts: Vec<Named<InContext>>,
    #[serde(default)]
    clusters: Vec<Named<InCluster>>,
    #[serde(default)]
    users: Vec<Named<InUser>>,
}

#[derive(Deserialize)]
struct Named<T> {
    name: String,
    #[serde(flatten)]
    is: T,
}

fn find<'a, T>(all: &'a [Named<T>], name: &str) -> Option<&'a T> {
    all.iter().find(|one| one.name == name).map(|one| &one.is)
}

#[derive(Deserialize)]
struct InContext {
    context: Context,
}

#[derive(Deserialize)]
struct InCluster {
    cluster: Place,
}

#[derive(Deserialize)]
struct InUser {
    user: User,
}

#[derive(Deserialize)]
struct Context {
    cluster: String,
    #[serde(default)]
    user: String,
    #[serde(default)]
    namespace: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Place {
    server: String,
    #[serde(rename = "certificate-authority")]
    authority: Option<String>,
    #[serde(default, rename = "certificate-authority-data", deserialize_with = "secret")]
    authority_data: Option<Secret>,
    #[serde(default)]
    insecure_skip_tls_verify: bool,
    #[serde(default)]
    tls_server_name: String,
    #[serde(default)]
    proxy_url: String,
}

impl Place {
    fn supported(&self) -> Result<(), BadKubeconfig> {
        let no = |field, instead| Err(BadKubeconfig::Unsupported { field, instead });
        if self.insecure_skip_tls_verify {
            return no("insecure-skip-tls-verify", "give the cluster's certificate authority");
        }
        if !self.tls_server_name.is_empty() {
            return no("tls-server-name", "name the server as its certificate does");
        }
        if !self.proxy_url.is_empty() {
            return no("proxy-url", "clusters are called directly");
        }
        Ok(())
    }
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
struct User {
    #[serde(default, deserialize_with = "secret")]
    token: Option<Secret>,
    #[serde(rename = "tokenFile")]
    token_file: Option<String>,
    #[serde(rename = "client-certificate")]
    certificate: Option<String>,
    #[serde(default, rename = "client-certificate-data", deserialize_with = "secret")]
    certificate_data: Option<Secret>,
    #[serde(rename = "client-key")]
    key: Option<String>,
    #[serde(default, rename = "client-key-data", deserialize_with = "secret")]
    key_data: Option<Secret>,
    exec: Option<serde::de::IgnoredAny>,
    auth_provider: Option<serde::de::IgnoredAny>,
    username: Option<serde::de::IgnoredAny>,
    #[serde(rename = "as")]
    impersonate: Option<serde::de::IgnoredAny>,
}

impl User {
    fn supported(&self) -> Result<(), BadKubeconfig> {
        const INSTEAD: &str = "give a service account's token or a client certificate";
        for (given, field) in [
            (&self.exec, "exec"),
            (&self.auth_provider, "auth-provider"),
            (&self.username, "username"),
        ] {
            if given.is_some() {
                return Err(BadKubeconfig::Unsupported { field, instead: INSTEAD });
            }
        }
        if self.impersonate.is_some() {
            let instead = "give the login of whoever is to read";
            return Err(BadKubeconfig::Unsupported { field: "as", instead });
        }
        Ok(())
    }
}

fn secret<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Secret>, D::Error> {
    Ok(Option::<String>::deserialize(from)?.map(Secret::from))
}
