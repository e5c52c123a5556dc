//! Who is asking, and whether they may.

use std::convert::Infallible;
use std::marker::PhantomData;
use std::ops::Deref;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use model::actor::Actor;
use model::audit::{Event, Origin};
use model::id::{ApiKeyId, SessionId, TenantId, UserId};

use crate::identity;
use crate::permission::{self, Permission};
use crate::problem::Problem;
use crate::state::App;

/// How a caller proved who they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// A login session of a person's.
    Session {
        /// The session.
        id: SessionId,
        /// The person.
        user: UserId,
        /// Whether the password must be changed before anything else.
        must_change_password: bool,
    },
    /// An API key.
    Key {
        /// The key.
        id: ApiKeyId,
        /// The permissions it is for, by name; all its holder has when there are none.
        scopes: Vec<String>,
    },
}

/// Somebody known.
#[derive(Debug, Clone)]
pub struct Caller {
    /// As events name them.
    pub actor: Actor,
    /// How they proved it.
    pub proof: Proof,
    /// From where.
    pub origin: Origin,
}

impl Caller {
    /// The tenant they belong to.
    #[must_use]
    pub const fn tenant(&self) -> TenantId {
        self.actor.tenant_id
    }

    /// The person who is logged in; none behind a key.
    #[must_use]
    pub const fn user(&self) -> Option<UserId> {
        match self.proof {
            Proof::Session { user, .. } => Some(user),
            Proof::Key { .. } => None,
        }
    }
}

/// The request's id, set by the server before anything else.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);

/// The peer's address, set by the server.
#[derive(Debug, Clone)]
pub struct Peer(pub String);

/// What [`authenticate`] found, kept with the request.
#[derive(Debug, Clone)]
enum Found {
    Nobody,
    Caller(Box<Caller>),
    Refused(Problem),
}

/// Middleware: finds out who is asking, once a request. Whether they must be known, and what they
/// must be allowed, is each handler's signature to say.
///
/// A browser sends its cookie along whoever makes it ask, so what changes something must come from
/// our own pages: see [`from_our_pages`].
pub async fn authenticate(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let carried = bearer(request.headers());
    if !request.method().is_safe() && !from_our_pages(request.headers(), carried.as_ref()) {
        return Problem::forbidden(
            "cross_site",
            "a browser must send this from this server's own pages; programs send \
             `Authorization: Bearer …` instead of a cookie",
        )
        .into_response();
    }
    let found = match carried {
        None => Found::Nobody,
        Some(Carried::Header(token) | Carried::Cookie(token)) => {
            match identity::resolve(&app, &token, origin(request.headers(), request.extensions()))
                .await
            {
                Ok(caller) => Found::Caller(Box::new(caller)),
                Err(problem) => Found::Refused(problem),
            }
        }
    };
    request.extensions_mut().insert(found);
    next.run(request).await
}

/// A token, and how it came.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Carried {
    /// In a header that no page of another site can set.
    Header(String),
    /// In the cookie, which browsers add by themselves.
    Cookie(String),
}

/// Whether a request that changes something may be what a person meant to do here.
///
/// Whoever sets `Authorization` is no browser that somebody else's page drives. Without it, what
/// the browser says of where the request comes from must be this server: `Sec-Fetch-Site`, or of
/// older ones `Origin`. What says neither is a program, and a program has no cookie.
fn from_our_pages(headers: &HeaderMap, carried: Option<&Carried>) -> bool {
    if matches!(carried, Some(Carried::Header(_))) {
        return true;
    }
    if let Some(site) = headers.get("sec-fetch-site") {
        return site == "same-origin" || (site == "none" && carried.is_none());
    }
    let Some(origin) = headers.get(header::ORIGIN) else { return carried.is_none() };
    let authority = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    authority.zip(host).is_some_and(|((_, authority), host)| authority == host)
}

/// The bearer token: `Authorization: Bearer …`, or the console's cookie.
fn bearer(headers: &HeaderMap) -> Option<Carried> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let text = value.to_str().unwrap_or_default();
        let (scheme, token) = text.split_once(' ').unwrap_or(("", text));
        return Some(Carried::Header(if scheme.eq_ignore_ascii_case("bearer") {
            token.trim().to_owned()
        } else {
            String::new()
        }));
    }
    let cookies = headers.get(header::COOKIE)?.to_str().ok()?;
    cookies
        .split(';')
        .filter_map(|cookie| cookie.trim().split_once('='))
        .find(|(name, _)| *name == identity::COOKIE)
        .map(|(_, token)| Carried::Cookie(token.to_owned()))
}

/// Where a request comes from, whoever sends it.
#[derive(Debug, Clone)]
pub struct From(pub Origin);

impl<S: Send + Sync> FromRequestParts<S> for From {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(origin(&parts.headers, &parts.extensions)))
    }
}

fn origin(headers: &HeaderMap, extensions: &Extensions) -> Origin {
    Origin {
        ip: extensions.get::<Peer>().map(|peer| peer.0.clone()),
        user_agent: headers
            .get(header::USER_AGENT)
            .and_then(|agent| agent.to_str().ok())
            .map(|agent| agent.chars().take(256).collect()),
        session: None,
        trace_id: extensions.get::<RequestId>().map(|id| id.0.clone()),
    }
}

/// The caller of this request, if [`authenticate`] found one.
#[must_use]
pub fn of(parts: &Extensions) -> Option<&Caller> {
    match parts.get::<Found>() {
        Some(Found::Caller(caller)) => Some(caller),
        _ => None,
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        match parts.extensions.get::<Found>() {
            Some(Found::Caller(caller)) => Ok(caller.as_ref().clone()),
            Some(Found::Refused(problem)) => Err(problem.clone()),
            Some(Found::Nobody) | None => Err(Problem::unauthenticated(
                "send `Authorization: Bearer <API key or session token>`",
            )),
        }
    }
}

/// A caller who has permission `P`: the one way a handler gets to a caller.
#[derive(Debug)]
pub struct Can<P: Permission>(Caller, PhantomData<P>);

impl<P: Permission> Can<P> {
    /// Whether a caller has the permission.
    #[must_use]
    pub fn has(caller: &Caller) -> bool {
        permission::allows(caller, P::NAME, P::ROLES) && !Self::password_due(caller)
    }

    /// Whether the one-time password must be changed before this.
    fn password_due(caller: &Caller) -> bool {
        matches!(caller.proof, Proof::Session { must_change_password: true, .. })
            && P::NAME != "account.own"
    }

    /// The caller.
    #[must_use]
    pub fn caller(&self) -> &Caller {
        &self.0
    }
}

impl<P: Permission> Deref for Can<P> {
    type Target = Caller;

    fn deref(&self) -> &Caller {
        &self.0
    }
}

impl<P: Permission> FromRequestParts<App> for Can<P> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let caller = Caller::from_request_parts(parts, app).await?;
        if Self::password_due(&caller) {
            return Err(Problem::forbidden(
                "password_change_required",
                "change the one-time password first: POST /api/v1/account/password",
            ));
        }
        if permission::allows(&caller, P::NAME, P::ROLES) {
            return Ok(Self(caller, PhantomData));
        }
        let scoped = caller.actor.has_any(P::ROLES);
        let missing = if scoped { "scope missing" } else { "role missing" };
        deny(app, &caller, P::NAME, parts.uri.path(), missing).await?;
        if scoped {
            return Err(Problem::forbidden(
                "scope_missing",
                format!("this API key is not for {}", P::NAME),
            ));
        }
        let roles: Vec<_> = P::ROLES.iter().map(|role| role.word()).collect();
        Err(Problem::forbidden(
            "forbidden",
            format!("{} needs one of the roles {}", P::NAME, roles.join(", ")),
        ))
    }
}

/// A denial is an event: somebody tried.
async fn deny(
    app: &App,
    caller: &Caller,
    permission: &str,
    path: &str,
    missing: &str,
) -> Result<(), Problem> {
    let mut tx = app.db.tenant(caller.tenant()).await?;
    let event = Event::new(&caller.actor, "access.denied", "permission", &permission)
        .with("path", path.chars().take(512).collect::<String>())
        .failed(missing)
        .from_origin(caller.origin.clone());
    tx.audit(&event).await?;
    tx.commit().await?;
    Ok(())
}

#[cfg(test)]
mod tests;
