//! Who changed something and with what, as a cloud's record of the call tells it.
//!
//! The record's texts are what callers sent: they are looked through for known words and kept as
//! they are, never followed. What no word fits is not known, which is something else than a person.

use std::sync::LazyLock;

use serde::Deserialize;

use super::facts::{Actor, ActorKind, Session, Tool};

const SHIPPED: &str = include_str!("../../../../content/drift/callers.yaml");

/// Characters of a text that are read.
const LONGEST_TEXT: usize = 2048;

/// A call as it was recorded.
#[derive(Debug, Clone, Copy, Default)]
pub struct Call<'a> {
    /// What the provider calls the caller.
    pub actor: Option<&'a str>,
    /// What kind of caller it is, in the provider's words.
    pub actor_type: Option<&'a str>,
    /// The role behind a session.
    pub role: Option<&'a str>,
    /// What it was made with.
    pub user_agent: Option<&'a str>,
    /// Whether the session had a second factor.
    pub mfa: Option<bool>,
}

/// Who made a call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Who {
    /// Who, where a word says what they are.
    pub actor: Option<Actor>,
    /// With what.
    pub tool: Option<Tool>,
    /// How they were logged in, where the record says.
    pub session: Option<Session>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[expect(dead_code, reason = "for whoever reads the file")]
    version: u32,
    actors: Vec<ActorRow>,
    tools: Vec<ToolRow>,
    break_glass: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ActorRow {
    kind: ActorKind,
    words: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ToolRow {
    tool: Tool,
    words: Vec<String>,
}

fn shipped() -> &'static File {
    static FILE: LazyLock<File> = LazyLock::new(|| {
        serde_saphyr::from_str(SHIPPED).expect("the shipped callers parse: a test reads them")
    });
    &FILE
}

fn lower(texts: &[Option<&str>]) -> String {
    let texts = texts.iter().flatten();
    let texts = texts.map(|text| text.chars().take(LONGEST_TEXT).collect::<String>());
    texts.collect::<Vec<_>>().join(" ").to_lowercase()
}

fn any(words: &[String], text: &str) -> bool {
    words.iter().any(|word| text.contains(word.as_str()))
}

/// Who made a call.
#[must_use]
pub fn who(call: &Call<'_>) -> Who {
    let file = shipped();
    let names = lower(&[call.actor_type, call.actor, call.role]);
    let row = file.actors.iter().find(|row| any(&row.words, &names));
    let agent = lower(&[call.user_agent]);
    let tool = file.tools.iter().find(|row| any(&row.words, &agent));
    let break_glass = any(&file.break_glass, &lower(&[call.actor, call.role]));
    // Without a word on the second factor a session is known only by its role for emergencies.
    let session = match (call.mfa, break_glass) {
        (None, false) => None,
        (mfa, break_glass) => Some(Session { mfa: mfa.unwrap_or_default(), break_glass }),
    };
    Who {
        actor: row.map(|row| Actor {
            kind: row.kind,
            name: call.actor.map(ToOwned::to_owned),
            earlier_changes: None,
        }),
        tool: tool.map(|row| row.tool),
        session,
    }
}

/// The names a caller goes by elsewhere: the whole one and what follows its last slash, which is a
/// user's name or a session's; of somebody written as in git, `name <address>`, the two apart.
#[must_use]
pub fn names(actor: &str) -> Vec<String> {
    let apart = actor.strip_suffix('>').and_then(|rest| rest.split_once(" <"));
    if let Some((name, address)) = apart {
        return vec![actor.to_owned(), name.to_owned(), address.to_owned()];
    }
    let last = actor.rsplit('/').next().unwrap_or_default();
    let mut names = vec![actor.to_owned()];
    if last != actor && !last.is_empty() {
        names.push(last.to_owned());
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(actor_type: &str, actor: &str, user_agent: &str) -> (Option<ActorKind>, Option<Tool>) {
        let call = Call {
            actor: Some(actor),
            actor_type: Some(actor_type),
            user_agent: Some(user_agent),
            ..Call::default()
        };
        let who = who(&call);
        (who.actor.map(|actor| actor.kind), who.tool)
    }

    #[test]
    fn callers_are_told_apart_by_what_their_provider_calls_them() {
        let cases = [
            (
                ("IAMUser", "arn:aws:iam::1:user/ada", "console.amazonaws.com"),
                (Some(ActorKind::Human), Some(Tool::Console)),
            ),
            (
                (
                    "AssumedRole",
                    "arn:aws:sts::1:assumed-role/AWSReservedSSO_Admin_0a/ada",
                    "aws-cli/2",
                ),
                (Some(ActorKind::Sso), Some(Tool::Cli)),
            ),
            (
                ("AWSService", "autoscaling.amazonaws.com", "autoscaling.amazonaws.com"),
                (Some(ActorKind::Autoscaler), Some(Tool::Controller)),
            ),
            (
                (
                    "AssumedRole",
                    "arn:aws:sts::1:assumed-role/deploy/GitHubActions",
                    "Terraform/1.9",
                ),
                (Some(ActorKind::Ci), Some(Tool::Iac)),
            ),
            (
                ("AssumedRole", "arn:aws:sts::1:assumed-role/backup/i-1", "Boto3/1.3"),
                (None, Some(Tool::Sdk)),
            ),
            (("", "", ""), (None, None)),
        ];
        for ((kind, actor, agent), expected) in cases {
            assert_eq!(read(kind, actor, agent), expected, "{actor}");
        }
    }

    #[test]
    fn a_role_for_emergencies_is_a_session_even_where_no_second_factor_is_told() {
        let role = Some("arn:aws:iam::1:role/Break-Glass");
        let told = who(&Call { role, ..Call::default() });
        assert_eq!(told.session, Some(Session { mfa: false, break_glass: true }));
        assert_eq!(who(&Call::default()), Who::default());
    }

    #[test]
    fn a_caller_goes_by_the_last_part_of_its_name_too() {
        assert_eq!(names("arn:aws:iam::1:user/ada"), ["arn:aws:iam::1:user/ada", "ada"]);
        assert_eq!(names("ada"), ["ada"]);
        let written = "ada <ada@example.com>";
        assert_eq!(names(written), [written, "ada", "ada@example.com"]);
    }
}
