//! Where people are told, and what they were told.

use ::api::check::{object as an_object, sized};
use ::api::permission::{ReadNotifications, ReadSettings, WriteNotifications, WriteSettings};
use ::api::problem::Answer;
use ::api::{App, Can, Change, Problem, object};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use model::Timestamp;
use model::id::{ApprovalId, ChannelId, CredentialId, FindingId, IntentId, NotificationId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::no_secret;
use crate::{channel_rules, store};

/// How a channel reaches people.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ChannelType {
    /// By mail, to the addresses of `to`.
    Email,
    /// In the Slack channel `channel`.
    Slack,
    /// By a request to `url`.
    Webhook,
    /// By an incident.
    Pagerduty,
}

impl ChannelType {
    const fn word(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Slack => "slack",
            Self::Webhook => "webhook",
            Self::Pagerduty => "pagerduty",
        }
    }
}

object! {
    /// Where people are told.
    Channel (ChannelIn, ChannelOut) {
        word: "channel", plural: "notification channels", path: "/notification-channels",
        table: "countersign.notification_channels", tag: "notifications", verbs: All,
        id: ChannelId, read: ReadSettings, write: WriteSettings,
        example: {
            "name": "on call", "channel_type": "slack",
            "configuration": {"channel": "#incidents"}, "is_active": true
        }
    }
    given {
        /// What people call it.
        #[schema(min_length = 1, max_length = 255)]
        name: String => Text.filter().sort().search();
        /// How it reaches people.
        channel_type: ChannelType => Text.filter().sort();
        /// Where: `to`, `channel` or `url`, by type; nothing secret.
        #[schema(value_type = Object)]
        configuration: Value => Json;
        /// The sealed secret it is used with.
        #[schema(value_type = Option<String>)]
        credential_id: Option<CredentialId> => Id.filter();
        /// Whether it is used; it is when absent.
        #[serde(default = "yes")]
        is_active: bool => Boolean.filter();
    }
    kept {
        /// When it was added.
        created_at: Timestamp => Time.filter().age();
        /// When it was changed last.
        updated_at: Timestamp => Time.filter().sort();
    }
    check(wanted) {
        sized("/name", &wanted.name, 1..=255)?;
        an_object("/configuration", &wanted.configuration)?;
        no_secret("/configuration", &wanted.configuration)?;
        channel_rules::check(wanted.channel_type.word(), &wanted.configuration).map_err(|fault| {
            Problem::invalid(&format!("/configuration{}", fault.path), "shape", fault.message)
        })
    }
}

const fn yes() -> bool {
    true
}

fn nothing() -> Value {
    json!({})
}

/// Why people are told.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum NotificationType {
    /// Something happened.
    Alert,
    /// What happened in a while.
    Summary,
    /// Somebody must look.
    Escalation,
}

/// How much it matters.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Priority {
    /// Some time.
    Low,
    /// Today.
    Medium,
    /// Now.
    High,
    /// At once.
    Critical,
}

object! {
    /// What people are told. `sent_at` stays empty while its channel delivers nothing.
    Notification (NotificationIn, NotificationOut) {
        word: "notification", plural: "notifications", path: "/notifications",
        table: "countersign.notifications", tag: "notifications", verbs: Append,
        id: NotificationId, read: ReadNotifications, write: WriteNotifications,
        example: {
            "finding_id": "fnd_0190a3c4-5b6d-7e8f-9a0b-1c2d3e4f5a6b",
            "channel_id": "chn_0190a3c4-5b6d-7e8f-9a0b-1c2d3e4f5a6b",
            "notification_type": "escalation", "subject": "checkout is down",
            "message": "Nobody has looked for ten minutes.", "priority": "high",
            "metadata": {"round": 2}
        }
    }
    given {
        /// About which finding.
        #[schema(value_type = Option<String>)]
        finding_id: Option<FindingId> => Id.filter();
        /// About which intent.
        #[schema(value_type = Option<String>)]
        intent_id: Option<IntentId> => Id.filter();
        /// About which approval.
        #[schema(value_type = Option<String>)]
        approval_id: Option<ApprovalId> => Id.filter();
        /// By which channel; in the console alone when absent.
        #[schema(value_type = Option<String>)]
        channel_id: Option<ChannelId> => Id.filter();
        /// Why.
        notification_type: NotificationType => Text.filter();
        /// In a line.
        #[schema(max_length = 500)]
        subject: Option<String> => Text.search();
        /// In words.
        #[schema(max_length = 20000)]
        message: Option<String> => Text.search();
        /// How much it matters.
        priority: Option<Priority> => Text.filter();
        /// Anything else; nothing secret.
        #[serde(default = "nothing")]
        #[schema(value_type = Object)]
        metadata: Value => Json;
    }
    kept {
        /// When it was written.
        created_at: Timestamp => Time.filter().age();
        /// When it was handed to its channel.
        sent_at: Option<Timestamp> => Time.filter();
        /// When the channel said that it arrived.
        delivered_at: Option<Timestamp> => Time.filter();
        /// When somebody read it.
        read_at: Option<Timestamp> => Time.filter();
    }
    check(wanted) {
        wanted.subject.as_deref().map_or(Ok(()), |text| sized("/subject", text, 1..=500))?;
        wanted.message.as_deref().map_or(Ok(()), |text| sized("/message", text, 1..=20_000))?;
        an_object("/metadata", &wanted.metadata)?;
        no_secret("/metadata", &wanted.metadata)
    }
}

/// The routes besides the uniform ones.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(read_notification))
}

/// Say that a notification was read; the first time counts.
#[utoipa::path(post, path = "/notifications/{id}/read", tag = "notifications",
    params(("id" = String, Path, description = "The notification")),
    responses((status = 204), (status = "4XX", body = Problem)))]
async fn read_notification(
    State(app): State<App>,
    caller: Can<ReadNotifications>,
    Path(id): Path<NotificationId>,
) -> Answer<StatusCode> {
    let mut change = Change::begin(&app, &caller).await?;
    match store::read(&mut change, id).await? {
        None => Err(Problem::not_found("notification")),
        Some(false) => Ok(StatusCode::NO_CONTENT),
        Some(true) => {
            let event = change.event("notification.read", "notification", &id);
            change.commit(event).await?;
            Ok(StatusCode::NO_CONTENT)
        }
    }
}
