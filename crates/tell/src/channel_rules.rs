//! What each type of channel must be told to reach people.

use serde_json::Value;

/// The longest list of addresses.
const MOST_ADDRESSES: usize = 50;

/// What is wrong with a channel's configuration, and where.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Below the configuration, as a JSON pointer.
    pub(crate) path: &'static str,
    pub(crate) message: &'static str,
}

/// `email` needs `to`, `slack` needs `channel`, `webhook` needs `url`; what `pagerduty` needs is a
/// secret.
pub(crate) fn check(kind: &str, configuration: &Value) -> Result<(), Fault> {
    match kind {
        "email" => addresses(&configuration["to"]),
        "slack" => text(
            &configuration["channel"],
            Fault { path: "/channel", message: "must name the channel, such as #incidents" },
        ),
        "webhook" => web(&configuration["url"]),
        _ => Ok(()),
    }
}

fn addresses(to: &Value) -> Result<(), Fault> {
    let fault = Fault { path: "/to", message: "must list 1 to 50 e-mail addresses" };
    let listed = to.as_array().filter(|list| (1..=MOST_ADDRESSES).contains(&list.len()));
    let good = |address: &Value| {
        address.as_str().is_some_and(|text| {
            let parts = text.split_once('@');
            text.len() <= 254
                && !text.contains(|c: char| c.is_control() || c.is_whitespace() || c == ',')
                && parts.is_some_and(|(name, host)| !name.is_empty() && host.contains('.'))
        })
    };
    listed.filter(|list| list.iter().all(good)).map(|_| ()).ok_or(fault)
}

fn web(url: &Value) -> Result<(), Fault> {
    let fault = Fault { path: "/url", message: "must be an https address, without a user in it" };
    let host = url.as_str().and_then(|text| text.strip_prefix("https://"));
    let plain = host.is_some_and(|rest| {
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        !host.is_empty() && !host.contains('@') && !rest.contains(char::is_whitespace)
    });
    if plain { Ok(()) } else { Err(fault) }
}

fn text(value: &Value, fault: Fault) -> Result<(), Fault> {
    let good = value.as_str().is_some_and(|text| (1..=200).contains(&text.chars().count()));
    if good { Ok(()) } else { Err(fault) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_type_of_channel_says_what_it_lacks() {
        for (kind, given, path) in [
            ("email", json!({"to": ["ops@example.com"]}), None),
            ("email", json!({"to": "ops@example.com"}), Some("/to")),
            ("email", json!({"to": ["ops"]}), Some("/to")),
            ("email", json!({"to": ["a@example.com\r\nBcc: b@example.com"]}), Some("/to")),
            ("slack", json!({"channel": "#incidents"}), None),
            ("slack", json!({}), Some("/channel")),
            ("webhook", json!({"url": "https://example.com/hook?a=1"}), None),
            ("webhook", json!({"url": "http://example.com"}), Some("/url")),
            ("webhook", json!({"url": "https://user:word@example.com"}), Some("/url")),
            ("pagerduty", json!({}), None),
        ] {
            assert_eq!(check(kind, &given).err().map(|fault| fault.path), path, "{kind} {given}");
        }
    }
}
