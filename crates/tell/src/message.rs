//! What is sent to a channel, and what its answer means.
//!
//! What a channel answers is never repeated: it may hold what it was sent.

use model::secret::Secret;
use serde_json::{Value, json};

/// Slack's method for a message of a bot.
const SLACK: &str = "https://slack.com/api/chat.postMessage";
/// The Events API of `PagerDuty`, version 2.
const PAGERDUTY: &str = "https://events.pagerduty.com/v2/enqueue";
/// The longest word of Slack's for a fault; documented ones are shorter.
const LONGEST_FAULT: usize = 60;

/// What people are told.
#[derive(Debug, Clone, Copy)]
pub struct Note<'a> {
    /// In a line.
    pub subject: &'a str,
    /// In words.
    pub text: &'a str,
    /// What tells it from others.
    pub name: &'a str,
}

/// How a request shows who sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// Not at all, or in what it says.
    None,
    /// By the header `Authorization`.
    Login,
    /// By an HMAC-SHA256 of its body, in the header `X-Countersign-Signature`.
    Signature,
}

/// A request that tells people something; its body may hold a secret.
pub struct Post {
    /// Where to.
    pub url: String,
    /// What: JSON.
    pub body: Vec<u8>,
    /// Who sent it.
    pub proof: Proof,
}

impl std::fmt::Debug for Post {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Post").field("url", &self.url).finish_non_exhaustive()
    }
}

/// The secret a channel is used with.
#[derive(Debug, Clone, Copy)]
pub enum Used<'a> {
    /// There is none.
    Nothing,
    /// A token, a key or `user:password`.
    Word(&'a Secret),
    /// What is signed with.
    Signing,
}

/// The requests that try a channel out: they tell people once, and leave nothing open.
///
/// # Errors
/// Why nothing can be sent there.
pub fn trial(
    kind: &str,
    configuration: &Value,
    used: Used<'_>,
    note: Note<'_>,
) -> Result<Vec<Post>, &'static str> {
    let post = |url: &str, body: &Value, proof| Post {
        url: url.to_owned(),
        body: body.to_string().into_bytes(),
        proof,
    };
    match (kind, used) {
        ("webhook", used) => {
            let url = configuration["url"].as_str().ok_or("the channel names no address")?;
            let proof = match used {
                Used::Nothing => Proof::None,
                Used::Word(_) => Proof::Login,
                Used::Signing => Proof::Signature,
            };
            let body = json!({
                "type": "test", "subject": note.subject, "message": note.text, "id": note.name,
            });
            Ok(vec![post(url, &body, proof)])
        }
        ("slack", Used::Word(_)) => {
            let channel = configuration["channel"].as_str().ok_or("no Slack channel is named")?;
            let text = format!("{}\n{}", note.subject, note.text);
            Ok(vec![post(SLACK, &json!({"channel": channel, "text": text}), Proof::Login)])
        }
        ("pagerduty", Used::Word(key)) => {
            let key = std::str::from_utf8(key.expose().trim_ascii())
                .map_err(|_| "the credential is no integration key")?;
            let event = |action: &str| {
                json!({
                    "routing_key": key, "event_action": action, "dedup_key": note.name,
                    "payload": {
                        "summary": note.subject, "source": "countersign", "severity": "info",
                        "custom_details": {"message": note.text},
                    },
                })
            };
            let told = |action| post(PAGERDUTY, &event(action), Proof::None);
            Ok(vec![told("trigger"), told("resolve")])
        }
        ("slack", _) => Err("Slack needs the token of a bot: a credential of kind password"),
        ("pagerduty", _) => {
            Err("PagerDuty needs an integration key: a credential of kind password")
        }
        _ => Err("this release sends no mail: tell people by a webhook, Slack or PagerDuty"),
    }
}

/// What an answer means: nothing, or why the message did not arrive.
///
/// # Errors
/// Why not, in words that hold nothing of what was sent.
pub fn arrived(kind: &str, status: u16, body: &[u8]) -> Result<(), String> {
    if !(200..300).contains(&status) {
        return Err(format!("it was answered with HTTP status {status}"));
    }
    if kind != "slack" {
        return Ok(());
    }
    // Slack says 200 to everything.
    let said: Value = serde_json::from_slice(body).unwrap_or_default();
    if said["ok"] == true {
        return Ok(());
    }
    let fault = said["error"].as_str().unwrap_or("no reason");
    let word = fault.len() <= LONGEST_FAULT
        && fault.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    Err(format!("Slack did not take it: {}", if word { fault } else { "no reason" }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTE: Note<'_> = Note { subject: "A test", text: "Nothing happened.", name: "n-1" };

    fn said(post: &Post) -> Value {
        serde_json::from_slice(&post.body).unwrap()
    }

    #[test]
    fn each_type_of_channel_is_told_in_its_own_form() {
        let key = Secret::from("a key\n".to_owned());
        let url = json!({"url": "https://example.com/hook"});
        for (used, proof) in [
            (Used::Nothing, Proof::None),
            (Used::Word(&key), Proof::Login),
            (Used::Signing, Proof::Signature),
        ] {
            let posts = trial("webhook", &url, used, NOTE).unwrap();
            assert_eq!((posts.len(), posts[0].proof), (1, proof));
            assert_eq!(posts[0].url, "https://example.com/hook");
            assert_eq!(said(&posts[0])["type"], "test");
        }
        let slack = trial("slack", &json!({"channel": "#ops"}), Used::Word(&key), NOTE).unwrap();
        assert_eq!((slack.len(), slack[0].proof), (1, Proof::Login));
        assert_eq!(
            said(&slack[0]),
            json!({"channel": "#ops", "text": "A test\nNothing happened."})
        );
        let events = trial("pagerduty", &json!({}), Used::Word(&key), NOTE).unwrap();
        let actions: Vec<_> =
            events.iter().map(|event| said(event)["event_action"].clone()).collect();
        assert_eq!(actions, ["trigger", "resolve"], "nothing stays open");
        assert_eq!(said(&events[0])["routing_key"], "a key");
        assert_eq!(said(&events[0])["dedup_key"], said(&events[1])["dedup_key"]);
    }

    #[test]
    fn what_cannot_be_sent_says_why() {
        for (kind, used) in [
            ("email", Used::Nothing),
            ("slack", Used::Nothing),
            ("pagerduty", Used::Signing),
            ("webhook", Used::Nothing),
        ] {
            assert!(trial(kind, &json!({"channel": "#ops"}), used, NOTE).is_err(), "{kind}");
        }
    }

    #[test]
    fn an_answer_is_understood_and_never_repeated() {
        let quiet = br#"{"ok":false,"error":"xoxb-1234 is the token"}"#;
        for (kind, status, body, why) in [
            ("webhook", 204, &b""[..], None),
            ("webhook", 302, b"a secret", Some("it was answered with HTTP status 302")),
            ("pagerduty", 202, b"{}", None),
            ("pagerduty", 400, b"{}", Some("it was answered with HTTP status 400")),
            ("slack", 200, br#"{"ok":true}"#, None),
            (
                "slack",
                200,
                br#"{"ok":false,"error":"channel_not_found"}"#,
                Some("Slack did not take it: channel_not_found"),
            ),
            ("slack", 200, &quiet[..], Some("Slack did not take it: no reason")),
            ("slack", 200, b"<html>", Some("Slack did not take it: no reason")),
        ] {
            assert_eq!(arrived(kind, status, body).err().as_deref(), why, "{kind} {status}");
        }
    }
}
