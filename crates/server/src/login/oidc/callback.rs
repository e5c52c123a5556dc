//! Where the browser comes back to from the provider, and gets in or does not.

use api::caller::{self, Caller, From, Proof};
use api::identity::new_session;
use api::problem::Answer;
use api::{App, Problem};
use axum::extract::{Path, Query, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use connect::Outbound;
use jsonwebtoken::jwk::Jwk;
use model::Digest;
use model::audit::{Event, Origin, Who};
use model::id::TenantId;
use sense::inventory::CredentialKind;
use sense::sealing;
use sense::store::credential;
use serde::Deserialize;
use serde_json::Value;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::account::{self, Change, Person, Refused};
use super::discovery::{Known, Metadata, Providers};
use super::fetch;
use super::secrets::{self, Browser};
use super::start::unavailable;
use super::store::{self, Provider};
use super::token::{self, Expected};
use crate::login::account::{LoginOut, self_actor, with_cookie};
use crate::login::store::{end_session, open_session};

/// The routes of this room.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(finish_login))
}

/// What the provider sends along.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Sent {
    /// What is traded for the tokens.
    code: Option<String>,
    /// What the login began with.
    state: Option<String>,
    /// Who sends it: RFC 9207.
    iss: Option<String>,
    /// Why there is no code.
    error: Option<String>,
}

/// Why somebody does not get in.
enum Stopped {
    /// The login is not believed. What is wrong goes into the log of events, not to the browser.
    Login(String),
    /// This person may not.
    Person(Refused),
    /// It could not be found out.
    Problem(Problem),
}

impl std::convert::From<Problem> for Stopped {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl std::convert::From<db::Error> for Stopped {
    fn from(error: db::Error) -> Self {
        Self::Problem(error.into())
    }
}

#[expect(clippy::needless_pass_by_value, reason = "errors are mapped with it")]
fn refused(why: impl ToString) -> Stopped {
    Stopped::Login(why.to_string())
}

/// Come back from an identity provider: a session is opened.
///
/// A browser gets the session's cookie and a page that leads on; whoever asks for JSON gets what
/// `POST /login` gives.
#[utoipa::path(get, path = "/auth/oidc/{name}/callback", tag = "identity", security(()),
    params(("name" = String, Path, description = "The provider's name"), Sent),
    responses((status = 200, content((LoginOut = "application/json"), (String = "text/html"))),
        (status = "4XX", body = Problem),
        (status = "5XX", body = Problem)))]
async fn finish_login(
    State(app): State<App>,
    asking: (Extension<Known>, Extension<Outbound>),
    From(origin): From,
    Path(name): Path<String>,
    Query(sent): Query<Sent>,
    request: Parts,
) -> Answer<Response> {
    let (Extension(known), Extension(outbound)) = asking;
    let (headers, old) = (&request.headers, caller::of(&request.extensions));
    let state = sent.state.as_deref().unwrap_or_default();
    let not_begun = || {
        login_refused("no login that began in this browser waits for this answer: begin it anew")
    };
    let tenant = secrets::tenant_of(state).ok_or_else(not_begun)?;
    let browser = Browser::returned(cookie(headers).ok_or_else(not_begun)?);
    let mut tx = app.db.tenant(tenant).await?;
    let begun = store::take(&mut tx, &Digest::of(state.as_bytes()), &browser.hash()).await?;
    // Gone before anything else is looked at: whatever comes of this answer, it comes once.
    tx.commit().await?;
    let begun = begun.ok_or_else(not_begun)?;
    let providers = known.asking(outbound.of(tenant));
    let back = Back { app: &app, tenant, origin: &origin, providers: &providers };
    let vouched = async {
        if begun != name {
            return Err(refused("the login began at another provider"));
        }
        let mut tx = app.db.tenant(tenant).await?;
        let provider = store::by_name(&mut tx, &name).await?;
        drop(tx);
        let provider = provider.ok_or_else(|| refused("the provider was switched off"))?;
        let person = back.vouched(&provider, &sent, &browser).await?;
        Ok((provider, person))
    };
    let (provider, person) = match vouched.await {
        Ok(vouched) => vouched,
        Err(stopped) => return Err(back.stopped(&begun, stopped).await?),
    };
    match back.admitted(&provider, &person, old).await {
        Ok(out) => Ok(answer(headers, out)),
        Err(stopped) => Err(back.stopped(&begun, stopped).await?),
    }
}

/// Somebody who came back.
struct Back<'a> {
    app: &'a App,
    tenant: TenantId,
    origin: &'a Origin,
    providers: &'a Providers,
}

impl Back<'_> {
    /// Whom the provider vouches for.
    async fn vouched(
        &self,
        provider: &Provider,
        sent: &Sent,
        browser: &Browser,
    ) -> Result<Person, Stopped> {
        let metadata = self
            .providers
            .metadata(&provider.issuer)
            .await
            .map_err(|fault| Stopped::from(unavailable(fault)))?;
        match &sent.iss {
            Some(issuer) if *issuer != provider.issuer => {
                return Err(refused("the answer is another provider's"));
            }
            None if metadata.authorization_response_iss_parameter_supported => {
                return Err(refused("the answer does not say whose it is"));
            }
            _ => {}
        }
        if let Some(error) = &sent.error {
            let word: String = error.chars().filter(char::is_ascii_graphic).take(64).collect();
            return Err(refused(format!("the provider says {word}")));
        }
        let code = sent.code.as_deref().ok_or_else(|| refused("there is no code"))?;
        let tokens = self.trade(&metadata, provider, code, browser).await?;
        let id_token =
            tokens["id_token"].as_str().ok_or_else(|| refused("there is no ID token"))?;
        let (_, kid) = token::asked(id_token).map_err(refused)?;
        let keys = self.keys(&metadata, kid.as_deref()).await?;
        let access_token = tokens["access_token"].as_str();
        let nonce = browser.nonce();
        let at = self.app.db.now().await?;
        let expected = Expected {
            issuer: &provider.issuer,
            client_id: &provider.client_id,
            nonce: &nonce,
            access_token,
            at,
        };
        let claims = token::verify(id_token, &keys, &expected).map_err(refused)?;
        let subject = claims["sub"].as_str().unwrap_or_default();
        let claims = self.completed(&metadata, provider, claims.clone(), access_token).await?;
        Ok(Person::read(subject, &claims, &provider.group_claim))
    }

    async fn keys(&self, metadata: &Metadata, kid: Option<&str>) -> Result<Vec<Jwk>, Stopped> {
        self.providers.keys(metadata, kid).await.map_err(|fault| Stopped::from(unavailable(fault)))
    }

    /// Trades the code for tokens, as the client the provider knows.
    async fn trade(
        &self,
        metadata: &Metadata,
        provider: &Provider,
        code: &str,
        browser: &Browser,
    ) -> Result<Value, Stopped> {
        let secret = self.secret(provider).await?;
        let form = Form::new(metadata, provider, code, &browser.verifier(), secret.as_deref());
        let basic = form.basic.as_ref().map(|(id, secret)| (id.as_str(), secret.as_str()));
        let bytes =
            fetch::post_form(&self.providers.outbound, &metadata.token_endpoint, form.body, basic)
                .await;
        let bytes = bytes.map_err(|error| match error {
            // A code that was used, or never given, or another client's.
            fetch::Unanswered::Status { status, .. } if status < 500 => {
                refused(format!("the provider does not take the code (status {status})"))
            }
            other => unavailable(super::discovery::Fault::Unanswered(other)).into(),
        })?;
        serde_json::from_slice(&bytes).map_err(|_| refused("the provider's tokens are no JSON"))
    }

    /// The client's secret, from its credential.
    async fn secret(&self, provider: &Provider) -> Result<Option<String>, Stopped> {
        let Some(id) = provider.credential else { return Ok(None) };
        let mut tx = self.app.db.tenant(self.tenant).await?;
        let sealed = credential::get(&mut tx, id).await?;
        if sealed.credential.kind != CredentialKind::Oidc {
            return Err(refused("the provider's credential is not of kind `oidc`"));
        }
        drop(tx);
        let asking = (self.tenant, &Who::service());
        let secret = sealing::open(&self.app.db, &self.app.vault, asking, &sealed).await;
        let secret = secret.map_err(|error| Problem::internal(&error))?;
        let text = secret.expose_str().ok_or_else(|| refused("the client's secret is no text"))?;
        Ok(Some(text.to_owned()))
    }

    /// The claims, with what the provider tells of the same subject only when asked.
    async fn completed(
        &self,
        metadata: &Metadata,
        provider: &Provider,
        claims: Value,
        access_token: Option<&str>,
    ) -> Result<Value, Stopped> {
        let told = account::groups(&claims, &provider.group_claim).is_some();
        let (Some(endpoint), Some(token), false) =
            (&metadata.userinfo_endpoint, access_token, told)
        else {
            return Ok(claims);
        };
        let bytes = fetch::get(&self.providers.outbound, endpoint, Some(token)).await;
        let bytes = bytes.map_err(|error| {
            Stopped::from(unavailable(super::discovery::Fault::Unanswered(error)))
        })?;
        let more: Value =
            serde_json::from_slice(&bytes).map_err(|_| refused("what it tells is no JSON"))?;
        // OpenID Connect Core 1.0, section 5.3.2: another subject's answer is not used.
        if more["sub"] != claims["sub"] {
            return Err(refused("what it tells is of somebody else"));
        }
        let mut whole = more;
        if let (Some(whole), Value::Object(signed)) = (whole.as_object_mut(), claims) {
            // What was signed counts before what was told.
            whole.extend(signed);
        }
        Ok(whole)
    }

    /// Opens the session, and ends the one this browser had.
    async fn admitted(
        &self,
        provider: &Provider,
        person: &Person,
        old: Option<&Caller>,
    ) -> Result<LoginOut, Stopped> {
        let mut tx = self.app.db.tenant(self.tenant).await?;
        let (user, change) = match account::admit(&mut tx, provider, person).await {
            Ok(admitted) => admitted,
            Err(why @ Refused::NoRole(_)) => {
                // That somebody has no role any more is kept, though they do not get in.
                if let Refused::NoRole(Some(user)) = &why {
                    let actor = self_actor(self.tenant, user.actor_id.into(), &user.username);
                    let id = model::id::UserId::from(user.id);
                    let event = Event::new(&actor, "user.changed", "user", &id)
                        .with("provider", provider.name.clone())
                        .with("roles", Vec::<&str>::new())
                        .from_origin(self.origin.clone());
                    tx.audit(&event).await?;
                }
                tx.commit().await?;
                return Err(Stopped::Person(why));
            }
            Err(why) => return Err(Stopped::Person(why)),
        };
        if let Some(Caller { proof: Proof::Session { id, .. }, actor, .. }) = old
            && actor.tenant_id == self.tenant
        {
            end_session(&mut tx, *id).await?;
        }
        let token = new_session()?;
        let (session_id, expires_at) =
            open_session(&mut tx, user.id.into(), &token.hash, self.origin).await?;
        let actor = self_actor(self.tenant, user.actor_id.into(), &user.username);
        let changed = match change {
            Change::None => None,
            Change::Made => Some("user.created"),
            Change::Linked => Some("user.linked"),
            Change::Roles => Some("user.changed"),
        };
        if let Some(action) = changed {
            let roles = account::roles(&provider.role_mapping, &person.groups);
            let roles: Vec<&str> = roles.iter().map(|role| role.word()).collect();
            let user = model::id::UserId::from(user.id);
            let event = Event::new(&actor, action, "user", &user)
                .with("provider", provider.name.clone())
                .with("roles", roles)
                .from_origin(self.origin.clone());
            tx.audit(&event).await?;
        }
        let event = Event::new(&actor, "login.succeeded", "session", &session_id)
            .with("provider", provider.name.clone())
            .from_origin(self.origin.clone());
        tx.audit(&event).await?;
        tx.commit().await?;
        Ok(LoginOut {
            token: token.text,
            session_id,
            user_id: user.id.into(),
            expires_at,
            must_change_password: user.must_change_password,
        })
    }

    /// Writes down that somebody did not get in, and says so.
    async fn stopped(&self, name: &str, stopped: Stopped) -> Answer<Problem> {
        let (why, problem) = match stopped {
            Stopped::Problem(problem) => return Ok(problem),
            Stopped::Person(Refused::Database(error)) => return Ok(error.into()),
            Stopped::Login(why) => {
                (why, login_refused("the identity provider's answer is not believed: begin anew"))
            }
            Stopped::Person(why) => (why.to_string(), person_refused(&why)),
        };
        let mut tx = self.app.db.tenant(self.tenant).await?;
        let event = Event::new(Who::service(), "login.failed", "oidc_provider", &name)
            .failed(why)
            .from_origin(self.origin.clone());
        tx.audit(&event).await?;
        tx.commit().await?;
        Ok(problem)
    }
}

/// What is sent for the tokens.
struct Form {
    body: String,
    /// The client's id and secret, where the header is taken.
    basic: Option<(String, String)>,
}

impl Form {
    fn new(
        metadata: &Metadata,
        provider: &Provider,
        code: &str,
        verifier: &str,
        secret: Option<&str>,
    ) -> Self {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "authorization_code")
            .append_pair("code", code)
            .append_pair("redirect_uri", &provider.redirect_uri)
            .append_pair("code_verifier", verifier);
        // RFC 6749, section 2.3.1: both are encoded before they are joined.
        let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect();
        let basic = secret
            .filter(|_| !metadata.secret_in_form())
            .map(|secret| (encoded(&provider.client_id), encoded(secret)));
        if basic.is_none() {
            form.append_pair("client_id", &provider.client_id);
            if let Some(secret) = secret {
                form.append_pair("client_secret", secret);
            }
        }
        Self { body: form.finish(), basic }
    }
}

fn login_refused(detail: &str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "login_refused", "The login was not accepted", detail)
}

fn person_refused(why: &Refused) -> Problem {
    let code = match why {
        Refused::NoRole(_) => "no_role",
        Refused::LastAdmin => "last_admin",
        Refused::Unknown => "user_unknown",
        Refused::AddressTaken => "address_taken",
        Refused::Inactive | Refused::Database(_) => "account_inactive",
    };
    Problem::forbidden(code, format!("{why}: ask an administrator"))
}

/// The secret of the login that this browser began.
fn cookie(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|cookies| cookies.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .find(|(name, _)| *name == secrets::COOKIE)
        .map(|(_, secret)| secret)
}

/// A page that leads on: a cookie that is kept from other sites is not sent along a redirect that
/// another site began.
const PAGE: &str = "<!doctype html><meta charset=\"utf-8\">\
    <meta http-equiv=\"refresh\" content=\"0;url=/\"><title>Countersign</title>\
    <p>Logged in. <a href=\"/\">Go on</a>.</p>";

fn answer(headers: &HeaderMap, out: LoginOut) -> Response {
    let browser = headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"));
    let token = out.token.clone();
    let response = if browser {
        let page = HeaderValue::from_static("text/html; charset=utf-8");
        ([(header::CONTENT_TYPE, page)], PAGE).into_response()
    } else {
        Json(out).into_response()
    };
    let mut response = with_cookie(response, &token);
    let headers = response.headers_mut();
    let over = format!("{}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax", secrets::COOKIE);
    if let Ok(over) = HeaderValue::from_str(&over) {
        headers.append(header::SET_COOKIE, over);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"),
    );
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}
