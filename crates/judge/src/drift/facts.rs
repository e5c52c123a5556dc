//! What is known around a drift.
//!
//! Each source of facts is an `Option`: `None` means that nobody looked or that there is nothing to
//! look in, which is something else than having looked and found nothing.

mod observe;

pub use model::drift::Direction;
use model::level::Severity;

use super::lexicon::{Lexicon, PropertyKind, Words};
use super::{Axes, ChangeType, DriftType};

model::words! {
    /// A source of facts; it may be missing as a whole.
    Source {
        /// When it was changed.
        Time = "time",
        /// Change windows, freezes, maintenance.
        Calendar = "calendar",
        /// Who changed it.
        Actor = "actor",
        /// With what.
        Tool = "tool",
        /// How the actor was logged in.
        Session = "session",
        /// Incidents.
        Incidents = "incidents",
        /// Monitoring alerts.
        Alerts = "alerts",
        /// Findings and events of security.
        Security = "security",
        /// Commits of what declares it.
        Commits = "commits",
        /// Deployments.
        Deployments = "deployments",
        /// Tickets.
        Tickets = "tickets",
        /// What happened to it before and after.
        History = "history",
    }
}

model::words! {
    /// Who changed it.
    ActorKind {
        /// A person with a key of their own.
        Human = "human",
        /// A person through single sign-on.
        Sso = "sso",
        /// A program with an account.
        Service = "service",
        /// A program that scales, replaces or repairs.
        Autoscaler = "autoscaler",
        /// A pipeline.
        Ci = "ci",
    }
}

model::words! {
    /// What it was changed with.
    Tool {
        /// The provider's web console.
        Console = "console",
        /// A command line.
        Cli = "cli",
        /// A program's library.
        Sdk = "sdk",
        /// What applies declarations.
        Iac = "iac",
        /// A loop that keeps a state.
        Controller = "controller",
    }
}

model::words! {
    /// How near to the resource an event is, the nearest first.
    Reach {
        /// The same resource or service.
        Same = "same",
        /// Within two hops.
        Near = "near",
        /// Only the same environment.
        Environment = "environment",
    }
}

/// A property that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Property {
    /// Where: `ingress[0].cidr_blocks`.
    pub path: String,
    /// How.
    pub change: ChangeType,
    /// Whether it matters to security.
    pub security_critical: bool,
    /// Which way it went, where that is known.
    pub direction: Option<Direction>,
    /// What kind of property it is, as the lexicon has it.
    pub kind: Option<PropertyKind>,
}

impl Property {
    /// A property whose kind is read from its path.
    #[must_use]
    pub fn new(
        path: &str,
        change: ChangeType,
        security_critical: bool,
        direction: Option<Direction>,
    ) -> Self {
        let kind = Lexicon::shipped().kind(path);
        Self { path: path.to_owned(), change, security_critical, direction, kind }
    }
}

/// When it was changed, on the clock of those who work there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalTime {
    /// Minutes since midnight, below 1,440.
    pub minute: u16,
    /// Days since Monday, below 7.
    pub weekday: u8,
    /// Whether that is when it was changed, and not when it was noticed.
    pub exact: bool,
}

impl LocalTime {
    /// Reads a clock.
    #[must_use]
    pub fn of(at: &jiff::Zoned, exact: bool) -> Self {
        let minute = i16::from(at.hour()) * 60 + i16::from(at.minute());
        Self {
            minute: minute.unsigned_abs(),
            weekday: at.weekday().to_monday_zero_offset().unsigned_abs(),
            exact,
        }
    }
}

/// What the calendar says of that moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Calendar {
    /// Whether a change window was open.
    pub inside_change_window: bool,
    /// Whether changes were frozen.
    pub freeze: bool,
    /// Hours since the last maintenance ended; 0 during one.
    pub hours_since_maintenance: Option<f64>,
}

/// Who changed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// What they are.
    pub kind: ActorKind,
    /// What the provider calls them.
    pub name: Option<String>,
    /// Changes of theirs beside declarations in the 90 days before.
    pub earlier_changes: Option<u32>,
}

/// How they were logged in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    /// Whether with a second factor.
    pub mfa: bool,
    /// Whether with a role kept for emergencies.
    pub break_glass: bool,
}

/// An incident, an alert, an event of security or a deployment that belongs to the drift.
#[derive(Debug, Clone, PartialEq)]
pub struct Near {
    /// What its system calls it.
    pub id: String,
    /// When it began, in minutes from the drift; negative is before.
    pub minutes: f64,
    /// How near it is.
    pub reach: Reach,
    /// How bad it is.
    pub severity: Option<Severity>,
    /// Whether it lasted at the moment of the drift.
    pub open: bool,
}

/// A commit that belongs to the drift.
#[derive(Debug, Clone, PartialEq)]
pub struct Commit {
    /// Its hash.
    pub id: String,
    /// When it was made, in minutes from the drift; negative is before.
    pub minutes: f64,
    /// How much it touches of what declares the resource: 1 the same file, 0 nothing near it.
    pub overlap: f64,
    /// Whether its author is who changed the resource.
    pub author_matches: bool,
    /// The words of its message.
    pub words: Words,
}

/// A ticket that belongs to the drift.
#[derive(Debug, Clone, PartialEq)]
pub struct Ticket {
    /// What its system calls it.
    pub id: String,
    /// When it was opened, in minutes from the drift; negative is before.
    pub minutes: f64,
    /// Its words.
    pub words: Words,
}

/// What happened before and after.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct History {
    /// Changes of the same actor in the hour around it.
    pub changes_in_hour: u32,
    /// Resources the same actor changed in that hour.
    pub resources_in_hour: u32,
    /// Drifts of the environment in the 24 hours before.
    pub drifts_in_day: u32,
    /// How often the same property of the same resource drifted in the 90 days before.
    pub repeats: u32,
    /// Minutes until it was put back, when it was.
    pub reverted_after_minutes: Option<f64>,
}

/// What is known around a drift.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// How the resource differs.
    pub drift: DriftType,
    /// The properties that differ; none when it is there or gone as a whole.
    pub properties: Vec<Property>,
    /// How bad it is.
    pub axes: Axes,
    /// When it was changed.
    pub time: Option<LocalTime>,
    /// What the calendar says of that moment.
    pub calendar: Option<Calendar>,
    /// Who changed it.
    pub actor: Option<Actor>,
    /// With what.
    pub tool: Option<Tool>,
    /// How they were logged in.
    pub session: Option<Session>,
    /// Incidents that belong to it.
    pub incidents: Option<Vec<Near>>,
    /// Alerts that belong to it.
    pub alerts: Option<Vec<Near>>,
    /// Findings and events of security that belong to it.
    pub security: Option<Vec<Near>>,
    /// Commits that belong to it.
    pub commits: Option<Vec<Commit>>,
    /// Deployments that belong to it.
    pub deployments: Option<Vec<Near>>,
    /// Tickets that belong to it.
    pub tickets: Option<Vec<Ticket>>,
    /// What happened before and after.
    pub history: Option<History>,
}

impl Facts {
    /// A drift nothing is known around.
    #[must_use]
    pub const fn about(drift: DriftType) -> Self {
        Self {
            drift,
            properties: Vec::new(),
            axes: Axes { security: 0.0, performance: 0.0, cost: 0.0, compliance: 0.0 },
            time: None,
            calendar: None,
            actor: None,
            tool: None,
            session: None,
            incidents: None,
            alerts: None,
            security: None,
            commits: None,
            deployments: None,
            tickets: None,
            history: None,
        }
    }

    /// Whether there is such a source.
    #[must_use]
    pub const fn has(&self, source: Source) -> bool {
        match source {
            Source::Time => self.time.is_some(),
            Source::Calendar => self.calendar.is_some(),
            Source::Actor => self.actor.is_some(),
            Source::Tool => self.tool.is_some(),
            Source::Session => self.session.is_some(),
            Source::Incidents => self.incidents.is_some(),
            Source::Alerts => self.alerts.is_some(),
            Source::Security => self.security.is_some(),
            Source::Commits => self.commits.is_some(),
            Source::Deployments => self.deployments.is_some(),
            Source::Tickets => self.tickets.is_some(),
            Source::History => self.history.is_some(),
        }
    }

    /// Forgets a source.
    pub fn forget(&mut self, source: Source) {
        match source {
            Source::Time => self.time = None,
            Source::Calendar => self.calendar = None,
            Source::Actor => self.actor = None,
            Source::Tool => self.tool = None,
            Source::Session => self.session = None,
            Source::Incidents => self.incidents = None,
            Source::Alerts => self.alerts = None,
            Source::Security => self.security = None,
            Source::Commits => self.commits = None,
            Source::Deployments => self.deployments = None,
            Source::Tickets => self.tickets = None,
            Source::History => self.history = None,
        }
    }
}
