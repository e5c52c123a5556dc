//! The list of features, version 1.

use super::reading::{
    actor, commit, commit_words, day, kind_part, length, maintenance, missing, near, number,
    off_hours, part, ticket_words, tool, undone, week, yes,
};
use super::{Feature, nearest};
use crate::drift::facts::{ActorKind, Direction, Source, Tool};
use crate::drift::lexicon::PropertyKind;
use crate::drift::{ChangeType, DriftType};

/// The version of the list; a model says which one it was trained on.
pub const VERSION: u32 = 1;

/// `ln(1 + 1000)`, the most a count can be: a burst of a thousand says what a larger one says.
const MOST_LOG: f64 = 6.908_754_779_315_221;

/// What a feature is counted in, the least and the most it can be.
type Scale = (&'static str, f64, f64);

const FLAG: Scale = ("0 or 1", 0.0, 1.0);
const SINE: Scale = ("sine", -1.0, 1.0);
const SHARE: Scale = ("share", 0.0, 1.0);
/// 0 stands for never.
const CLOSENESS: Scale = ("e^(-distance/tau)", 0.0, 1.0);
const COUNT: Scale = ("ln(1 + n)", 0.0, MOST_LOG);

macro_rules! source {
    () => {
        None
    };
    ($source:ident) => {
        Some(Source::$source)
    };
}

/// A name, what it is counted in, where it is from, and how it is read.
macro_rules! features {
    ($(#[doc = $what:literal] $name:ident: $scale:ident $(of $source:ident)? = $value:expr;)+) => {
        /// All features, in the order of version 1.
        pub const FEATURES: &[Feature] = &[$(Feature {
            name: stringify!($name),
            unit: $scale.0,
            low: $scale.1,
            high: $scale.2,
            source: source!($($source)?),
            what: $what.trim_ascii(),
            value: $value,
        },)+];
    };
}

features! {
    // When.
    /// Sine of the hour of the day, once round in 24 hours.
    hour_sin: SINE of Time = |f| f.time.map(|time| libm::sin(day(time)));
    /// Its cosine.
    hour_cos: SINE of Time = |f| f.time.map(|time| libm::cos(day(time)));
    /// Sine of the day of the week, once round in 7 days.
    weekday_sin: SINE of Time = |f| f.time.map(|time| libm::sin(week(time)));
    /// Its cosine.
    weekday_cos: SINE of Time = |f| f.time.map(|time| libm::cos(week(time)));
    /// Outside 8 to 18 o'clock from Monday to Friday.
    off_hours: FLAG of Time = |f| f.time.map(|time| yes(off_hours(time)));
    /// Saturday or Sunday.
    weekend: FLAG of Time = |f| f.time.map(|time| yes(time.weekday >= 5));
    /// Known is when it was changed, not when it was noticed.
    time_is_exact: FLAG of Time = |f| f.time.map(|time| yes(time.exact));
    /// A change window was open.
    inside_change_window: FLAG of Calendar = |f|
        f.calendar.map(|calendar| yes(calendar.inside_change_window));
    /// Changes were frozen.
    freeze: FLAG of Calendar = |f| f.calendar.map(|calendar| yes(calendar.freeze));
    /// How lately a maintenance ended; tau is a day.
    maintenance_closeness: CLOSENESS of Calendar = |f| f.calendar.map(maintenance);
    // Who, and with what.
    /// A person with a key of their own.
    actor_human: FLAG of Actor = |f| actor(f, ActorKind::Human);
    /// A person through single sign-on.
    actor_sso: FLAG of Actor = |f| actor(f, ActorKind::Sso);
    /// A program with an account.
    actor_service: FLAG of Actor = |f| actor(f, ActorKind::Service);
    /// A program that scales, replaces or repairs.
    actor_autoscaler: FLAG of Actor = |f| actor(f, ActorKind::Autoscaler);
    /// A pipeline.
    actor_ci: FLAG of Actor = |f| actor(f, ActorKind::Ci);
    /// Changes of theirs beside declarations in the 90 days before.
    actor_earlier_changes: COUNT of Actor = |f|
        f.actor.as_ref().and_then(|actor| actor.earlier_changes).map(number);
    /// The provider's web console.
    tool_console: FLAG of Tool = |f| tool(f, Tool::Console);
    /// A command line.
    tool_cli: FLAG of Tool = |f| tool(f, Tool::Cli);
    /// A program's library.
    tool_sdk: FLAG of Tool = |f| tool(f, Tool::Sdk);
    /// What applies declarations.
    tool_iac: FLAG of Tool = |f| tool(f, Tool::Iac);
    /// A loop that keeps a state.
    tool_controller: FLAG of Tool = |f| tool(f, Tool::Controller);
    /// Logged in with a second factor.
    session_mfa: FLAG of Session = |f| f.session.map(|session| yes(session.mfa));
    /// Logged in with a role kept for emergencies.
    session_break_glass: FLAG of Session = |f| f.session.map(|session| yes(session.break_glass));
    // What happened around it.
    /// How near the nearest incident is in time; 1 while it lasts, tau is an hour.
    incident_closeness: CLOSENESS of Incidents = |f|
        near(&f.incidents, nearest::incident, nearest::incident_closeness);
    /// How near it is: 1 the same service, a half each step.
    incident_reach: SHARE of Incidents = |f|
        near(&f.incidents, nearest::incident, |near| nearest::reach(near.reach));
    /// It began before the drift.
    incident_began_before: FLAG of Incidents = |f|
        near(&f.incidents, nearest::incident, |near| yes(near.minutes <= 0.0));
    /// How bad it is, in quarters.
    incident_severity: SHARE of Incidents = |f|
        near(&f.incidents, nearest::incident, |near| nearest::severity(near.severity));
    /// It lasted at the moment of the drift.
    incident_open: FLAG of Incidents = |f|
        near(&f.incidents, nearest::incident, |near| yes(near.open));
    /// How many belong to the drift.
    incident_count: COUNT of Incidents = |f| f.incidents.as_ref().map(|all| length(all));
    /// How near the nearest alert is in time; 1 while it lasts, tau is an hour.
    alert_closeness: CLOSENESS of Alerts = |f|
        near(&f.alerts, nearest::incident, nearest::incident_closeness);
    /// How near it is: 1 the same service, a half each step.
    alert_reach: SHARE of Alerts = |f|
        near(&f.alerts, nearest::incident, |near| nearest::reach(near.reach));
    /// It began before the drift.
    alert_began_before: FLAG of Alerts = |f|
        near(&f.alerts, nearest::incident, |near| yes(near.minutes <= 0.0));
    /// How many belong to the drift.
    alert_count: COUNT of Alerts = |f| f.alerts.as_ref().map(|all| length(all));
    /// How near the nearest event of security is in time; 1 while it lasts, tau is two hours.
    security_closeness: CLOSENESS of Security = |f|
        near(&f.security, nearest::security, nearest::security_closeness);
    /// How near it is: 1 the same service, a half each step.
    security_reach: SHARE of Security = |f|
        near(&f.security, nearest::security, |near| nearest::reach(near.reach));
    /// It began before the drift.
    security_began_before: FLAG of Security = |f|
        near(&f.security, nearest::security, |near| yes(near.minutes <= 0.0));
    /// How bad it is, in quarters.
    security_severity: SHARE of Security = |f|
        near(&f.security, nearest::security, |near| nearest::severity(near.severity));
    /// How many belong to the drift.
    security_count: COUNT of Security = |f| f.security.as_ref().map(|all| length(all));
    /// How near the nearest deployment is in time; 1 while it lasts, tau is two hours.
    deployment_closeness: CLOSENESS of Deployments = |f|
        near(&f.deployments, nearest::security, nearest::security_closeness);
    /// How near it is: 1 the same service, a half each step.
    deployment_reach: SHARE of Deployments = |f|
        near(&f.deployments, nearest::security, |near| nearest::reach(near.reach));
    /// It began before the drift.
    deployment_began_before: FLAG of Deployments = |f|
        near(&f.deployments, nearest::security, |near| yes(near.minutes <= 0.0));
    /// It lasted at the moment of the drift.
    deployment_open: FLAG of Deployments = |f|
        near(&f.deployments, nearest::security, |near| yes(near.open));
    /// How many belong to the drift.
    deployment_count: COUNT of Deployments = |f| f.deployments.as_ref().map(|all| length(all));
    // What was written about it.
    /// How near the nearest related commit is in time; tau is a day.
    commit_closeness: CLOSENESS of Commits = |f| commit(f, nearest::commit_closeness);
    /// It was made before the drift.
    commit_before: FLAG of Commits = |f| commit(f, |commit| yes(commit.minutes <= 0.0));
    /// How much it touches of what declares the resource.
    commit_overlap: SHARE of Commits = |f| commit(f, |commit| commit.overlap);
    /// Its author is who changed the resource.
    commit_author_matches: FLAG of Commits = |f| commit(f, |commit| yes(commit.author_matches));
    /// How many belong to the drift.
    commit_count: COUNT of Commits = |f| f.commits.as_ref().map(|all| length(all));
    /// A later one to the same files speaks of a fix.
    commit_follow_up_fix: FLAG of Commits = |f|
        f.commits.as_ref().map(|all| yes(nearest::follow_up(all).is_some()));
    /// Words of haste in related ones, the most of one.
    commit_words_emergency: COUNT of Commits = |f| commit_words(f, |words| words.emergency);
    /// Words of attacks and holes in related ones, the most of one.
    commit_words_security: COUNT of Commits = |f| commit_words(f, |words| words.security);
    /// Words of speed in related ones, the most of one.
    commit_words_performance: COUNT of Commits = |f| commit_words(f, |words| words.performance);
    /// Words of faults that are looked for in related ones, the most of one.
    commit_words_debug: COUNT of Commits = |f| commit_words(f, |words| words.debug);
    /// A ticket belongs to the drift.
    ticket_present: FLAG of Tickets = |f| f.tickets.as_ref().map(|all| yes(!all.is_empty()));
    /// How near the nearest is in time; tau is a day.
    ticket_closeness: CLOSENESS of Tickets = |f|
        f.tickets.as_ref().map(|all| nearest::ticket(all).map_or(0.0, nearest::ticket_closeness));
    /// Words of haste, the most of one ticket.
    ticket_words_emergency: COUNT of Tickets = |f| ticket_words(f, |words| words.emergency);
    /// Words of attacks and holes, the most of one ticket.
    ticket_words_security: COUNT of Tickets = |f| ticket_words(f, |words| words.security);
    /// Words of speed, the most of one ticket.
    ticket_words_performance: COUNT of Tickets = |f| ticket_words(f, |words| words.performance);
    /// Words of faults that are looked for, the most of one ticket.
    ticket_words_debug: COUNT of Tickets = |f| ticket_words(f, |words| words.debug);
    // Before and after.
    /// Changes of the same actor in the hour around it.
    burst_changes: COUNT of History = |f| f.history.map(|history| number(history.changes_in_hour));
    /// Resources the same actor changed in that hour.
    burst_resources: COUNT of History = |f|
        f.history.map(|history| number(history.resources_in_hour));
    /// Drifts of the environment in the 24 hours before.
    drifts_in_day: COUNT of History = |f| f.history.map(|history| number(history.drifts_in_day));
    /// How often the same property drifted in the 90 days before.
    repeats: COUNT of History = |f| f.history.map(|history| number(history.repeats));
    /// It was put back.
    reverted: FLAG of History = |f|
        f.history.map(|history| yes(history.reverted_after_minutes.is_some()));
    /// How soon; tau is an hour.
    reverted_closeness: CLOSENESS of History = |f| f.history.map(undone);
    // What was changed; always known.
    /// Some properties are others.
    drift_modified: FLAG = |f| Some(yes(f.drift == DriftType::Modified));
    /// It is declared, and not there.
    drift_deleted: FLAG = |f| Some(yes(f.drift == DriftType::Deleted));
    /// It is there, and not declared.
    drift_added: FLAG = |f| Some(yes(f.drift == DriftType::Added));
    /// It is there under another address.
    drift_moved: FLAG = |f| Some(yes(f.drift == DriftType::Moved));
    /// Properties that differ.
    property_count: COUNT = |f| Some(length(&f.properties));
    /// Exactly one differs.
    single_property: FLAG = |f| Some(yes(f.properties.len() == 1));
    /// Of them, not declared.
    change_added_share: SHARE = |f| Some(part(f, |property| property.change == ChangeType::Added));
    /// Of them, declared and not there.
    change_removed_share: SHARE = |f|
        Some(part(f, |property| property.change == ChangeType::Removed));
    /// Of them, those that matter to security.
    critical_share: SHARE = |f| Some(part(f, |property| property.security_critical));
    /// Of them, those that allow less than declared.
    tightened_share: SHARE = |f|
        Some(part(f, |property| property.direction == Some(Direction::Tightened)));
    /// Of them, those that allow more than declared.
    loosened_share: SHARE = |f|
        Some(part(f, |property| property.direction == Some(Direction::Loosened)));
    /// Of them, those whose direction is known.
    direction_known_share: SHARE = |f| Some(part(f, |property| property.direction.is_some()));
    /// Of them, those that say how many there are.
    kind_capacity_share: SHARE = |f| Some(kind_part(f, PropertyKind::Capacity));
    /// Of them, those that say how large each is.
    kind_size_share: SHARE = |f| Some(kind_part(f, PropertyKind::Size));
    /// Of them, those that say who is reached.
    kind_network_share: SHARE = |f| Some(kind_part(f, PropertyKind::Network));
    /// Of them, those that say who may do what.
    kind_identity_share: SHARE = |f| Some(kind_part(f, PropertyKind::Identity));
    /// Of them, encryption, retention and the like.
    kind_protection_share: SHARE = |f| Some(kind_part(f, PropertyKind::Protection));
    /// Of them, those that say what is written down.
    kind_records_share: SHARE = |f| Some(kind_part(f, PropertyKind::Records));
    /// Of them, those that say what runs.
    kind_version_share: SHARE = |f| Some(kind_part(f, PropertyKind::Version));
    /// Of them, those that say how it is set.
    kind_settings_share: SHARE = |f| Some(kind_part(f, PropertyKind::Settings));
    /// Of them, words for people.
    kind_labels_share: SHARE = |f| Some(kind_part(f, PropertyKind::Labels));
    /// Severity on the axis of security.
    axis_security: SHARE = |f| Some(f.axes.security);
    /// Severity on the axis of performance.
    axis_performance: SHARE = |f| Some(f.axes.performance);
    /// Severity on the axis of cost.
    axis_cost: SHARE = |f| Some(f.axes.cost);
    /// Severity on the axis of compliance.
    axis_compliance: SHARE = |f| Some(f.axes.compliance);
    // What nobody has.
    /// Nothing is known of the time.
    missing_time: FLAG = |f| Some(missing(f, Source::Time));
    /// Nothing is known of calendar.
    missing_calendar: FLAG = |f| Some(missing(f, Source::Calendar));
    /// Nothing is known of actor.
    missing_actor: FLAG = |f| Some(missing(f, Source::Actor));
    /// Nothing is known of tool.
    missing_tool: FLAG = |f| Some(missing(f, Source::Tool));
    /// Nothing is known of session.
    missing_session: FLAG = |f| Some(missing(f, Source::Session));
    /// Nothing is known of incidents.
    missing_incidents: FLAG = |f| Some(missing(f, Source::Incidents));
    /// Nothing is known of alerts.
    missing_alerts: FLAG = |f| Some(missing(f, Source::Alerts));
    /// Nothing is known of security.
    missing_security: FLAG = |f| Some(missing(f, Source::Security));
    /// Nothing is known of commits.
    missing_commits: FLAG = |f| Some(missing(f, Source::Commits));
    /// Nothing is known of deployments.
    missing_deployments: FLAG = |f| Some(missing(f, Source::Deployments));
    /// Nothing is known of tickets.
    missing_tickets: FLAG = |f| Some(missing(f, Source::Tickets));
    /// Nothing is known of history.
    missing_history: FLAG = |f| Some(missing(f, Source::History));
}
