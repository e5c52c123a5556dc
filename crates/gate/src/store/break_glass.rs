//! Emergency authority in the database: taken, used, given back, reviewed.

use db::{Cursor, Page, PageRequest, TenantTx};
use jiff_sqlx::Timestamp as SqlTimestamp;
use model::Timestamp;
use model::actor::Actor;
use model::id::{ActorId, ApprovalId, BreakGlassId};
use sqlx::FromRow;
use uuid::Uuid;

use super::approvals::voter;
use crate::approval::Voter;
use crate::break_glass::{BreakGlass, Refused, Verdict, reviewable};
use crate::error::Error;

/// Emergency authority as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredBreakGlass {
    /// Its id.
    pub id: BreakGlassId,
    /// By which account.
    pub holder: ActorId,
    /// Whoever is behind it.
    pub person: String,
    /// Why.
    pub reason: String,
    /// Since when.
    pub started_at: Timestamp,
    /// Until when.
    pub expires_at: Timestamp,
    /// When its holder gave it back.
    pub ended_at: Option<Timestamp>,
    /// What came of the review: by whom, when, what, in which words.
    pub review: Option<Review>,
    /// The approvals given under it.
    pub approvals: Vec<ApprovalId>,
}

/// A closed review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// By whom.
    pub by: ActorId,
    /// When.
    pub at: Timestamp,
    /// What it found.
    pub verdict: Verdict,
    /// In words.
    pub notes: String,
}

#[derive(FromRow)]
struct Row {
    id: Uuid,
    actor_id: Uuid,
    person: String,
    reason: String,
    started_at: SqlTimestamp,
    expires_at: SqlTimestamp,
    ended_at: Option<SqlTimestamp>,
    reviewed_by: Option<Uuid>,
    reviewed_at: Option<SqlTimestamp>,
    review_verdict: Option<String>,
    review_notes: Option<String>,
    approvals: Vec<Uuid>,
}

impl Row {
    fn read(self) -> Result<StoredBreakGlass, Error> {
        let review = match (self.reviewed_by, self.reviewed_at, self.review_verdict) {
            (Some(by), Some(at), Some(verdict)) => Some(Review {
                by: by.into(),
                at: at.to_jiff(),
                verdict: verdict.parse().map_err(Error::unreadable("review"))?,
                notes: self.review_notes.unwrap_or_default(),
            }),
            _ => None,
        };
        Ok(StoredBreakGlass {
            id: self.id.into(),
            holder: self.actor_id.into(),
            person: self.person,
            reason: self.reason,
            started_at: self.started_at.to_jiff(),
            expires_at: self.expires_at.to_jiff(),
            ended_at: self.ended_at.map(SqlTimestamp::to_jiff),
            review,
            approvals: self.approvals.into_iter().map(ApprovalId::from).collect(),
        })
    }
}

impl StoredBreakGlass {
    /// What is judged of it; `holder` is its account as it stands now.
    #[must_use]
    pub fn judged(&self, holder: Actor) -> BreakGlass {
        BreakGlass {
            holder,
            person: self.person.clone(),
            expires_at: self.expires_at,
            ended_at: self.ended_at,
            reviewed_at: self.review.as_ref().map(|review| review.at),
        }
    }
}

/// Takes emergency authority for so many minutes.
///
/// # Errors
/// [`Error::Db`] with the constraint `break_glass_unreviewed_key` when the same person's last one
/// was not reviewed: ask [`taken_before`] what that is.
pub async fn take(
    tx: &mut TenantTx,
    holder: &Voter,
    reason: &str,
    minutes: u32,
) -> Result<BreakGlassId, Error> {
    let id = BreakGlassId::generate();
    sqlx::query(
        "INSERT INTO countersign.break_glass (tenant_id, id, actor_id, person, reason, expires_at)
         VALUES ($1, $2, $3, $4, $5, clock_timestamp() + make_interval(mins => $6))",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .bind(holder.actor.id.uuid())
    .bind(&holder.person)
    .bind(reason)
    .bind(super::small("/minutes", minutes)?)
    .execute(tx.conn())
    .await?;
    Ok(id)
}

/// Whether an error of [`take`] says that the last one was not reviewed.
#[must_use]
pub fn taken_before(error: &Error) -> bool {
    matches!(error, Error::Db(error) if error.constraint() == Some("break_glass_unreviewed_key"))
}

/// One, with the approvals given under it.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn get(tx: &mut TenantTx, id: BreakGlassId) -> Result<StoredBreakGlass, Error> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT g.id, g.actor_id, g.person, g.reason, g.started_at, g.expires_at, g.ended_at,
                g.reviewed_by, g.reviewed_at, g.review_verdict, g.review_notes,
                ARRAY(SELECT a.id FROM countersign.approvals a
                      WHERE a.tenant_id = g.tenant_id AND a.break_glass_id = g.id
                      ORDER BY a.id) AS approvals
         FROM countersign.break_glass g
         WHERE g.tenant_id = $1 AND g.id = $2",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .fetch_optional(tx.conn())
    .await?;
    row.ok_or_else(|| Error::NotFound { what: "emergency authority", id: id.to_string() })?.read()
}

/// All, newest first.
///
/// # Errors
/// When the database cannot be read.
pub async fn list(tx: &mut TenantTx, page: &PageRequest) -> Result<Page<StoredBreakGlass>, Error> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT g.id, g.actor_id, g.person, g.reason, g.started_at, g.expires_at, g.ended_at,
                g.reviewed_by, g.reviewed_at, g.review_verdict, g.review_notes,
                ARRAY(SELECT a.id FROM countersign.approvals a
                      WHERE a.tenant_id = g.tenant_id AND a.break_glass_id = g.id
                      ORDER BY a.id) AS approvals
         FROM countersign.break_glass g
         WHERE g.tenant_id = $1 AND ($2::uuid IS NULL OR g.id < $2)
         ORDER BY g.id DESC
         LIMIT $3",
    )
    .bind(tx.tenant().uuid())
    .bind(page.after_id())
    .bind(page.fetch())
    .fetch_all(tx.conn())
    .await?;
    let all = rows.into_iter().map(Row::read).collect::<Result<Vec<_>, _>>()?;
    Ok(page.page(all, |glass| Cursor::Id(glass.id.uuid())))
}

/// The emergency authority this voter holds at `at`.
///
/// # Errors
/// When the database cannot be read.
pub async fn held_by(
    tx: &mut TenantTx,
    holder: &Voter,
    at: Timestamp,
) -> Result<Option<StoredBreakGlass>, Error> {
    // Held until the transaction ends, so that a review or an end waits for the vote or goes first.
    let id: Option<Uuid> = sqlx::query_scalar(
        "SELECT id FROM countersign.break_glass
         WHERE tenant_id = $1 AND actor_id = $2 AND reviewed_at IS NULL
         ORDER BY id DESC
         LIMIT 1
         FOR UPDATE",
    )
    .bind(tx.tenant().uuid())
    .bind(holder.actor.id.uuid())
    .fetch_optional(tx.conn())
    .await?;
    let Some(id) = id else { return Ok(None) };
    let stored = get(tx, id.into()).await?;
    let glass = stored.judged(holder.actor.clone());
    Ok((glass.holds(at) && glass.is_of(holder)).then_some(stored))
}

/// Holds the approvals given under it, so that none starts anything while it ends. Before the row
/// itself: a vote takes them in this order.
async fn hold_approvals(tx: &mut TenantTx, id: BreakGlassId) -> Result<(), Error> {
    sqlx::query(
        "SELECT FROM countersign.approvals
         WHERE tenant_id = $1 AND break_glass_id = $2 ORDER BY id FOR UPDATE",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// What was approved under it and has not begun does not begin any more.
async fn expire_approvals(tx: &mut TenantTx, id: BreakGlassId) -> Result<(), Error> {
    sqlx::query(
        "UPDATE countersign.approvals SET expires_at = LEAST(expires_at, clock_timestamp())
         WHERE tenant_id = $1 AND break_glass_id = $2 AND status = 'approved'",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Gives it back early: what was approved under it and has not begun does not begin any more.
///
/// # Errors
/// When the database does not take it.
pub async fn end(tx: &mut TenantTx, id: BreakGlassId) -> Result<bool, Error> {
    hold_approvals(tx, id).await?;
    let ended = sqlx::query(
        // A clock that was put back must not keep anybody from giving it back.
        "UPDATE countersign.break_glass SET ended_at = greatest(clock_timestamp(), started_at)
         WHERE tenant_id = $1 AND id = $2 AND ended_at IS NULL
           AND expires_at > clock_timestamp()",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .execute(tx.conn())
    .await?;
    expire_approvals(tx, id).await?;
    Ok(ended.rows_affected() > 0)
}

/// Closes a review by `reviewer`. What still holds ends with it.
///
/// # Errors
/// The inner one when this reviewer may not; [`Error::NotFound`].
pub async fn review(
    tx: &mut TenantTx,
    id: BreakGlassId,
    reviewer: ActorId,
    verdict: Verdict,
    notes: &str,
) -> Result<Result<(), Refused>, Error> {
    hold_approvals(tx, id).await?;
    // By itself: of two reviewers at once, the second reads what the first left.
    sqlx::query("SELECT FROM countersign.break_glass WHERE tenant_id = $1 AND id = $2 FOR UPDATE")
        .bind(tx.tenant().uuid())
        .bind(id.uuid())
        .execute(tx.conn())
        .await?;
    let stored = get(tx, id).await?;
    let holder = voter(tx, stored.holder).await?;
    let reviewer = voter(tx, reviewer).await?;
    if let Err(refused) = reviewable(&stored.judged(holder.actor), &reviewer) {
        return Ok(Err(refused));
    }
    sqlx::query(
        "UPDATE countersign.break_glass
         SET reviewed_by = $3, reviewed_at = clock_timestamp(), review_verdict = $4,
             review_notes = $5,
             ended_at = CASE WHEN expires_at > clock_timestamp()
                             THEN COALESCE(ended_at, greatest(clock_timestamp(), started_at))
                             ELSE ended_at END
         WHERE tenant_id = $1 AND id = $2 AND reviewed_at IS NULL",
    )
    .bind(tx.tenant().uuid())
    .bind(id.uuid())
    .bind(reviewer.actor.id.uuid())
    .bind(verdict.word())
    .bind(notes)
    .execute(tx.conn())
    .await?;
    expire_approvals(tx, id).await?;
    Ok(Ok(()))
}
