//! What the columns of an event repeat from its canonical bytes.
//!
//! Only the bytes are signed. The columns are made from them when an event is sequenced and
//! compared with them when the log is verified.

use std::borrow::Cow;

use model::Timestamp;
use serde::Deserialize;
use uuid::Uuid;

/// The columns of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Projection<'a> {
    /// The tenant it belongs to.
    pub tenant: Uuid,
    /// Its id.
    pub id: Uuid,
    /// When it happened, in microseconds since 1970.
    pub occurred_micros: i64,
    /// What happened.
    pub action: Cow<'a, str>,
    /// Who did it.
    pub actor: Uuid,
    /// The kind of thing it was done to.
    pub target_type: Cow<'a, str>,
    /// The id of that thing.
    pub target_id: Cow<'a, str>,
    /// The verdict, when it was a decision.
    pub decision: Option<Cow<'a, str>>,
    /// Whether it worked.
    pub success: bool,
}

#[derive(Deserialize)]
struct Canon<'a> {
    #[serde(borrow)]
    tenant_id: &'a str,
    #[serde(borrow)]
    event_id: &'a str,
    #[serde(borrow)]
    occurred_at: &'a str,
    #[serde(borrow)]
    actor: Who<'a>,
    #[serde(borrow)]
    action: Cow<'a, str>,
    #[serde(borrow)]
    target: Target<'a>,
    #[serde(borrow, default)]
    decision: Option<Cow<'a, str>>,
    success: bool,
}

#[derive(Deserialize)]
struct Who<'a> {
    #[serde(borrow)]
    id: &'a str,
}

#[derive(Deserialize)]
struct Target<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    id: Cow<'a, str>,
}

impl<'a> Projection<'a> {
    /// Reads the columns out of canonical bytes; none when those are no event.
    #[must_use]
    pub fn read(canon: &'a [u8]) -> Option<Self> {
        let canon: Canon<'a> = serde_json::from_slice(canon).ok()?;
        let at: Timestamp = canon.occurred_at.parse().ok()?;
        Some(Self {
            tenant: uuid(canon.tenant_id, "ten_")?,
            id: uuid(canon.event_id, "evt_")?,
            occurred_micros: at.as_microsecond(),
            action: canon.action,
            actor: uuid(canon.actor.id, "act_")?,
            target_type: canon.target.kind,
            target_id: canon.target.id,
            decision: canon.decision,
            success: canon.success,
        })
    }

    /// The first column that differs from `stored`, with what it should be and what it is.
    #[must_use]
    pub fn difference(&self, stored: &Self) -> Option<(&'static str, String, String)> {
        fn unless_same<T: PartialEq + ToString>(
            column: &'static str,
            should: &T,
            is: &T,
        ) -> Option<(&'static str, String, String)> {
            (should != is).then(|| (column, should.to_string(), is.to_string()))
        }
        let word = |decision: &Option<Cow<'_, str>>| {
            decision.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string)
        };
        unless_same("id", &self.id, &stored.id)
            .or_else(|| unless_same("occurred_at", &self.occurred_micros, &stored.occurred_micros))
            .or_else(|| unless_same("action", &self.action, &stored.action))
            .or_else(|| unless_same("actor_id", &self.actor, &stored.actor))
            .or_else(|| unless_same("target_type", &self.target_type, &stored.target_type))
            .or_else(|| unless_same("target_id", &self.target_id, &stored.target_id))
            .or_else(|| {
                let differs = self.decision != stored.decision;
                differs.then(|| ("decision", word(&self.decision), word(&stored.decision)))
            })
            .or_else(|| unless_same("success", &self.success, &stored.success))
    }
}

fn uuid(text: &str, prefix: &str) -> Option<Uuid> {
    Uuid::try_parse(text.strip_prefix(prefix)?).ok()
}

#[cfg(test)]
mod tests;
