//! Conversations of one's own.

use ::api::check::sized;
use ::api::object;
use ::api::permission::OwnChats;
use ::api::problem::Answer;
use ::api::{App, Body, Can, Change, PageOut, Paging, Problem};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use model::Timestamp;
use model::id::{ChatMessageId, ChatSessionId, FindingId, LlmProviderId, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::store::{self, Said};

/// The longest thing said at once, in characters.
const LONGEST: usize = 65_536;

object! {
    /// A conversation. Nobody but its owner sees it.
    Chat (ChatIn, ChatOut) {
        word: "chat_session", plural: "chat sessions", path: "/chat-sessions",
        table: "countersign.chat_sessions", tag: "chats", verbs: All,
        id: ChatSessionId, read: OwnChats, write: OwnChats,
        owned_by: user_id,
        example: {
            "title": "Why is checkout slow?",
            "finding_id": "fnd_0190a3c4-5b6d-7e8f-9a0b-1c2d3e4f5a6b",
            "llm_provider_id": "llm_0190a3c4-5b6d-7e8f-9a0b-1c2d3e4f5a6b"
        }
    }
    given {
        /// What it is called.
        #[serde(default)]
        #[schema(max_length = 255)]
        title: String => Text.filter().search();
        /// What it is about.
        #[schema(value_type = Option<String>)]
        finding_id: Option<FindingId> => Id.filter();
        /// Who answers; the default provider when absent.
        #[schema(value_type = Option<String>)]
        llm_provider_id: Option<LlmProviderId> => Id.filter();
    }
    derived {
        /// Whose it is.
        #[schema(value_type = String)]
        user_id: UserId => Id;
    }
    kept {
        /// When it was opened.
        created_at: Timestamp => Time.filter().age();
        /// When it was renamed last.
        updated_at: Timestamp => Time.filter().sort();
    }
    check(wanted) { sized("/title", &wanted.title, 0..=255) }
}

/// The routes besides the uniform ones.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list_chat_messages, say))
}

/// What one says.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SayIn {
    /// In words.
    #[schema(min_length = 1, max_length = 65536, example = "What changed before ten o'clock?")]
    content: String,
}

/// What was said.
#[derive(Debug, Serialize, ToSchema)]
struct MessageOut {
    /// Its id.
    #[schema(value_type = String)]
    id: ChatMessageId,
    /// Who said it: `user`, `assistant`, `system`.
    role: String,
    /// In words.
    content: String,
    /// What it cost, in tokens of its provider.
    tokens_used: Option<i32>,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl From<Said> for MessageOut {
    fn from(said: Said) -> Self {
        Self {
            id: said.id,
            role: said.role,
            content: said.content,
            tokens_used: said.tokens_used,
            created_at: said.created_at,
        }
    }
}

/// List what was said in a conversation of one's own, newest first.
#[utoipa::path(get, path = "/chat-sessions/{id}/messages", tag = "chats",
    params(("id" = String, Path, description = "The conversation"), ::api::page::PagingIn),
    responses((status = 200, body = PageOut<MessageOut>), (status = "4XX", body = Problem)))]
async fn list_chat_messages(
    State(app): State<App>,
    caller: Can<OwnChats>,
    Path(id): Path<ChatSessionId>,
    Paging(page): Paging,
) -> Answer<Json<PageOut<MessageOut>>> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    store::own_chat(&mut tx, id, caller.user()).await?.ok_or_else(missing)?;
    let said = store::messages(&mut tx, id, &page).await?;
    Ok(Json(PageOut::of(said, MessageOut::from)))
}

/// Say something in a conversation of one's own.
#[utoipa::path(post, path = "/chat-sessions/{id}/messages", tag = "chats",
    params(("id" = String, Path, description = "The conversation")), request_body = SayIn,
    responses((status = 201, body = MessageOut), (status = "4XX", body = Problem)))]
async fn say(
    State(app): State<App>,
    caller: Can<OwnChats>,
    Path(id): Path<ChatSessionId>,
    Body(said): Body<SayIn>,
) -> Answer<(StatusCode, Json<MessageOut>)> {
    sized("/content", &said.content, 1..=LONGEST)?;
    let mut change = Change::begin(&app, &caller).await?;
    store::own_chat(&mut change, id, caller.user()).await?.ok_or_else(missing)?;
    let message = store::say(&mut change, id, &said.content).await?;
    // What was said is the person's; that something was said is the log's.
    let event =
        change.event("chat.said", "chat_session", &id).with("message_id", message.id.to_string());
    change.commit(event).await?;
    Ok((StatusCode::CREATED, Json(message.into())))
}

fn missing() -> Problem {
    Problem::not_found("chat_session")
}
