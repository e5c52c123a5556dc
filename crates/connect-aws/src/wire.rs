//! Calls as AWS's protocols write them, and answers as they are read.

use connect::outbound::{Method, Reply};
use serde_json::{Map, Value};

use crate::error::{self, Error};
use crate::table::{Ask, Protocol, Service};
use crate::tree;

/// A request without its signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) url: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

/// The request of a call to a service at `base`, which has no slash at its end.
///
/// # Errors
/// When the call is none of its protocol.
pub(crate) fn request(
    base: &str,
    service: &Service,
    ask: &Ask,
    input: &Map<String, Value>,
) -> Result<Request, &'static str> {
    match service.protocol {
        Protocol::Query => {
            let named = [("Action", ask.call.as_str()), ("Version", service.api.as_str())];
            let mut form: Vec<_> =
                named.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
            form.extend(pairs(input));
            let form_type = "application/x-www-form-urlencoded; charset=utf-8".to_owned();
            Ok(Request {
                method: Method::POST,
                url: format!("{base}/"),
                headers: vec![("content-type", form_type)],
                body: form.join("&").into_bytes(),
            })
        }
        Protocol::Json10 | Protocol::Json11 => {
            let version = if service.protocol == Protocol::Json10 { "1.0" } else { "1.1" };
            Ok(Request {
                method: Method::POST,
                url: format!("{base}/"),
                headers: vec![
                    ("content-type", format!("application/x-amz-json-{version}")),
                    ("x-amz-target", format!("{}.{}", service.target, ask.call)),
                ],
                body: Value::Object(input.clone()).to_string().into_bytes(),
            })
        }
        Protocol::S3 | Protocol::Rest => {
            let path = ask.call.strip_prefix("GET ").ok_or("its method is not known")?;
            let query = pairs(input).collect::<Vec<_>>().join("&");
            let mark = match (query.is_empty(), path.contains('?')) {
                (true, _) => "",
                (false, false) => "?",
                (false, true) => "&",
            };
            Ok(Request {
                method: Method::GET,
                url: format!("{base}{path}{mark}{query}"),
                headers: Vec::new(),
                body: Vec::new(),
            })
        }
    }
}

fn pairs(input: &Map<String, Value>) -> impl Iterator<Item = String> {
    let texts = input.iter().filter_map(|(name, value)| Some((name, tree::text(value)?)));
    texts.map(|(name, value)| format!("{}={}", encoded(name), encoded(&value)))
}

/// A text with everything percent-encoded but what needs it nowhere (RFC 3986, unreserved).
pub(crate) fn encoded(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut whole, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            whole.push(char::from(byte));
        } else {
            whole.push_str(&format!("%{byte:02X}"));
        }
        whole
    })
}

/// What an answer holds.
///
/// # Errors
/// What AWS called the fault, or that the answer cannot be read.
pub(crate) fn answer(service: &Service, ask: &Ask, reply: &Reply) -> Result<Value, Error> {
    let status = reply.status.as_u16();
    if !reply.status.is_success() {
        return Err(Error::told(&ask.title(), status, fault(reply)));
    }
    let unreadable = |fault| Error::Unreadable { call: ask.title(), fault };
    let text = std::str::from_utf8(&reply.body).map_err(|_| unreadable("it is no UTF-8"))?;
    let json = || serde_json::from_str(text).map_err(|_| unreadable("it is no whole JSON"));
    match service.protocol {
        Protocol::Json10 | Protocol::Json11 | Protocol::Rest => {
            let value: Value = json()?;
            if value.is_object() { Ok(value) } else { Err(unreadable("it is no object")) }
        }
        Protocol::Query => {
            let (root, mut value) = tree::xml(text).map_err(unreadable)?;
            // An error page with a good status is no list without elements.
            if root != format!("{}Response", ask.call) {
                return Err(unreadable("it is the answer to another call"));
            }
            let result = value.get_mut(format!("{}Result", ask.call)).map(Value::take);
            Ok(result.unwrap_or(value))
        }
        // The policy of a bucket is the one answer of S3 in JSON.
        Protocol::S3 if text.trim_start().starts_with('{') => json(),
        Protocol::S3 => {
            // What was never set, as the logging of a bucket, may come as nothing at all.
            if text.trim().is_empty() {
                return Ok(Value::Null);
            }
            let (root, value) = tree::xml(text).map_err(unreadable)?;
            if root == "html" || root == "Error" {
                return Err(unreadable("it is the answer to another call"));
            }
            Ok(value)
        }
    }
}

/// What AWS calls the fault of an answer; empty when it names none.
fn fault(reply: &Reply) -> String {
    let header = reply.headers.get("x-amzn-errortype").and_then(|value| value.to_str().ok());
    if let Some(name) = header {
        return error::code(name);
    }
    let Ok(text) = std::str::from_utf8(&reply.body) else { return String::new() };
    if let Ok(body) = serde_json::from_str::<Value>(text) {
        let names = ["__type", "code", "Code"];
        let name = names.iter().find_map(|name| body.get(name)?.as_str());
        return name.map(error::code).unwrap_or_default();
    }
    let (_, body) = tree::xml(text).unwrap_or_default();
    let places = ["Error.Code", "Errors.Error.Code", "Code"];
    let name = places.iter().find_map(|place| tree::text_at(&body, place));
    name.map(|name| error::code(&name)).unwrap_or_default()
}

/// An input with what is read so far in the place of `{path}`; `None` when something is not there.
/// A text that is nothing else takes the value as it is.
pub(crate) fn filled(input: &Map<String, Value>, read: &Value) -> Option<Map<String, Value>> {
    let fill = |value: &Value| match value {
        Value::String(text) => match text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'))
        {
            Some(path) if !path.contains('{') => tree::at(read, path),
            _ => Some(value.clone()),
        },
        other => Some(other.clone()),
    };
    input.iter().map(|(name, value)| Some((name.clone(), fill(value)?))).collect()
}

/// A path with what is read so far in the place of `{path}`, percent-encoded.
pub(crate) fn filled_path(call: &str, read: &Value) -> Option<String> {
    let mut whole = String::with_capacity(call.len());
    let mut rest = call;
    while let Some((before, after)) = rest.split_once('{') {
        let (path, behind) = after.split_once('}')?;
        whole.push_str(before);
        whole.push_str(&encoded(&tree::text_at(read, path)?));
        rest = behind;
    }
    whole.push_str(rest);
    Some(whole)
}

#[cfg(test)]
mod tests;
