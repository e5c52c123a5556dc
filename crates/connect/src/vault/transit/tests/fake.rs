//! A Vault of the tests' own: the transit engine's HTTP API with keys, versions, derived keys and
//! tokens that may do some things. Like the real one it does not take `associated_data` when it
//! rewraps.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use aws_lc_rs::aead::NONCE_LEN;
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::vault::cipher;

#[derive(Debug)]
struct Key {
    derived: bool,
    versions: Vec<[u8; 32]>,
    min_decryption_version: usize,
}

#[derive(Debug, Default)]
struct State {
    sealed: bool,
    keys: BTreeMap<String, Key>,
    /// What each token may do.
    tokens: BTreeMap<String, Vec<&'static str>>,
    /// Every call, as verb and key.
    calls: Vec<String>,
}

/// A fake Vault that listens.
#[derive(Debug, Clone)]
pub(crate) struct FakeVault {
    pub(crate) address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl FakeVault {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let vault =
            Self { address: listener.local_addr().unwrap(), state: Arc::new(Mutex::default()) };
        let serving = vault.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serving.clone().serve(stream));
            }
        });
        vault
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn add_key(&self, name: &str, derived: bool) {
        let key = Key { derived, versions: Vec::new(), min_decryption_version: 1 };
        self.state().keys.insert(name.to_owned(), key);
        self.rotate(name);
    }

    pub(crate) fn rotate(&self, name: &str) {
        let mut bytes = [0; 32];
        cipher::random(&mut bytes).unwrap();
        self.state().keys.get_mut(name).unwrap().versions.push(bytes);
    }

    pub(crate) fn min_decryption_version(&self, name: &str, version: usize) {
        self.state().keys.get_mut(name).unwrap().min_decryption_version = version;
    }

    pub(crate) fn token(&self, token: &str, may: &[&'static str]) {
        self.state().tokens.insert(token.to_owned(), may.to_vec());
    }

    pub(crate) fn seal(&self, sealed: bool) {
        self.state().sealed = sealed;
    }

    pub(crate) fn calls(&self) -> Vec<String> {
        self.state().calls.clone()
    }

    async fn serve(self, mut stream: TcpStream) {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            match stream.read_u8().await {
                Ok(byte) => head.push(byte),
                Err(_) => return,
            }
        }
        let head = String::from_utf8(head).unwrap();
        let header = |name: &str| {
            let line = head.lines().find(|line| line.starts_with(&format!("{name}: ")))?;
            Some(line.split_once(": ")?.1.to_owned())
        };
        let length = header("content-length").unwrap_or_default().parse().unwrap_or(0);
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.unwrap();
        let mut words = head.split(' ');
        let (method, path) = (words.next().unwrap(), words.next().unwrap());
        let token = header("x-vault-token").unwrap_or_default();
        let (status, answer) = self.answer(method, path, &token, &body);
        let text = answer.to_string();
        let reply = format!(
            "HTTP/1.1 {status} \r\ncontent-type: application/json\r\ncontent-length: \
             {}\r\n\r\n{text}",
            text.len()
        );
        stream.write_all(reply.as_bytes()).await.unwrap();
    }

    fn answer(&self, method: &str, path: &str, token: &str, body: &[u8]) -> (u16, Value) {
        let complain = |status, said: &str| (status, json!({"errors": [said]}));
        let mut state = self.state();
        if state.sealed {
            return complain(503, "Vault is sealed");
        }
        let Some((verb, name)) =
            path.strip_prefix("/v1/transit/").and_then(|rest| rest.split_once('/'))
        else {
            return complain(404, "no handler for route");
        };
        state.calls.push(format!("{verb} {name}"));
        if method != "POST" || !state.tokens.get(token).is_some_and(|may| may.contains(&verb)) {
            return complain(403, "1 error occurred:\n\t* permission denied\n\n");
        }
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let Some(key) = state.keys.get(name) else {
            return complain(400, "encryption key not found");
        };
        let text = |field: &str| body[field].as_str().unwrap_or_default().to_owned();
        if key.derived && text("context").is_empty() {
            return complain(
                400,
                "missing 'context' for key derivation; the key was created using \
                                  a derived key, which means additional, per-request information \
                                  must be included in order to perform operations with the key",
            );
        }
        let known = ["plaintext", "ciphertext", "context", "associated_data"];
        assert!(body.as_object().unwrap().keys().all(|key| known.contains(&key.as_str())));
        let data = match verb {
            "encrypt" => key
                .encrypt(&text("context"), &text("associated_data"), &text("plaintext"))
                .map(|ciphertext| json!({"ciphertext": ciphertext})),
            "decrypt" => key
                .decrypt(&text("context"), &text("associated_data"), &text("ciphertext"))
                .map(|plaintext| json!({"plaintext": plaintext})),
            "rewrap" => key
                .decrypt(&text("context"), "", &text("ciphertext"))
                .and_then(|plaintext| key.encrypt(&text("context"), "", &plaintext))
                .map(|ciphertext| json!({"ciphertext": ciphertext})),
            _ => return complain(404, "unsupported path"),
        };
        match data {
            Ok(data) => (200, json!({"request_id": "fake", "lease_id": "", "data": data})),
            Err(said) => complain(400, said),
        }
    }
}

impl Key {
    fn at(&self, version: usize, context: &str) -> Vec<u8> {
        let key = self.versions[version - 1];
        if !self.derived {
            return key.to_vec();
        }
        hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), context.as_bytes()).as_ref().to_vec()
    }

    fn encrypt(&self, context: &str, aad: &str, plaintext: &str) -> Result<String, &'static str> {
        let plain = STANDARD.decode(plaintext).map_err(|_| "failed to base64-decode plaintext")?;
        let version = self.versions.len();
        let key = cipher::aes(&self.at(version, context)).unwrap();
        let nonce = cipher::fresh_nonce().unwrap();
        let sealed = cipher::encrypt(&key, nonce, aad.as_bytes(), &plain).unwrap();
        Ok(format!("vault:v{version}:{}", STANDARD.encode([&nonce[..], &sealed].concat())))
    }

    fn decrypt(&self, context: &str, aad: &str, ciphertext: &str) -> Result<String, &'static str> {
        let rest = ciphertext.strip_prefix("vault:v").ok_or("invalid ciphertext: no prefix")?;
        let (version, encoded) = rest.split_once(':').ok_or("invalid ciphertext: no version")?;
        let version: usize = version.parse().map_err(|_| "invalid ciphertext: version")?;
        if version == 0 || version > self.versions.len() {
            return Err("invalid ciphertext: version is too new");
        }
        if version < self.min_decryption_version {
            return Err("ciphertext or signature version is disallowed by policy (too old)");
        }
        let bytes = STANDARD.decode(encoded).map_err(|_| "invalid ciphertext: base64")?;
        let (nonce, sealed) =
            bytes.split_first_chunk::<NONCE_LEN>().ok_or("invalid ciphertext length")?;
        let key = cipher::aes(&self.at(version, context)).unwrap();
        let plain = cipher::decrypt(&key, *nonce, aad.as_bytes(), sealed)
            .map_err(|_| "cipher: message authentication failed")?;
        Ok(STANDARD.encode(&plain[..]))
    }
}
