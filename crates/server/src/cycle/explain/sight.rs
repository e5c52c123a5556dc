//! One drift among what happened: facts, correlation, cause, advice. Pure: the same drift among the
//! same events is told the same.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};

use gate::blackout::{Window, WindowKind, active};
use gate::proposal::Place as Target;
use jiff::SignedDuration;
use jiff::tz::TimeZone;
use judge::drift::cause::table::Table;
use judge::drift::cause::{self, Statement};
use judge::drift::correlate::context::context;
use judge::drift::correlate::{Correlation, EventKind, Index, Place, Rules, Subject};
use judge::drift::facts::{Calendar, Facts, History, LocalTime, Property};
use judge::drift::features::{self, Vector};
use judge::drift::lexicon::Lexicon;
use judge::drift::recommend::{Around, Kind, Outcomes, Recommendations, Situation, recommend};
use judge::drift::who::{self, Call as Recorded};
use judge::store::explained::{Belonging, Said, ToSay};
use model::id::{EnvironmentId, ResourceId};
use model::level::Severity;
use model::{Digest, Timestamp};
use sense::around::Drifted;
use sense::drift::severity::{Ways, Weights};
use serde_json::json;

use super::CALLED;
use super::happened::{Call, Happened};
use super::predictor::Predictor;

/// What was noticed so long before belongs to the same look: a scan tells for minutes what it found.
const SAME_LOOK: SignedDuration = SignedDuration::from_mins(15);
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// What is the same for all drifts of a tenant.
#[derive(Debug)]
pub(super) struct Known {
    /// The kinds of events somebody keeps.
    pub(super) looked: Vec<String>,
    /// When changes are refused or made.
    pub(super) windows: Vec<Window>,
    /// The model that decides.
    pub(super) predictor: Option<Predictor>,
    /// How advice turned out.
    pub(super) outcomes: BTreeMap<Kind, Outcomes>,
}

impl Known {
    /// A hash of a drift and of whoever decides about it.
    pub(super) fn of(&self, drift: &Drifted, said: &Said) -> Digest {
        let versions = [
            Table::shipped().version,
            Rules::shipped().version,
            Lexicon::shipped().version,
            Recommendations::shipped().version,
            features::VERSION,
        ];
        let changes = drift.changes.iter().map(|(change, critical)| {
            json!([change.path, change.change, change.declared, change.actual, critical])
        });
        let environment =
            drift.environment.as_ref().map(|one| json!([one.id, one.class, one.zone]));
        let whole = json!([
            versions,
            self.predictor.as_ref().map(Predictor::name),
            said.label.map(|(cause, by)| json!([cause, by])),
            said.exception,
            [json!(drift.address), json!(drift.kind), json!(drift.external)],
            [json!(drift.drift), json!(drift.axes), json!(drift.service), json!(environment)],
            changes.collect::<Vec<_>>(),
        ]);
        // Of what no file is known to declare the hash is what it was.
        let whole = match &drift.declared_in {
            Some(file) => json!([whole, file]),
            None => whole,
        };
        Digest::of(whole.to_string().as_bytes())
    }
}

/// Somebody who looks at drifts among what happened.
pub(super) struct Sight<'a> {
    known: &'a Known,
    happened: &'a Happened,
    noticed: &'a BTreeMap<EnvironmentId, Vec<Timestamp>>,
    index: Index<'static, 'a>,
    looked: Vec<EventKind>,
    /// What says which way properties went, by the type of resource.
    ways: RefCell<HashMap<String, Ways<'static>>>,
}

impl<'a> Sight<'a> {
    pub(super) fn new(
        known: &'a Known,
        happened: &'a Happened,
        noticed: &'a BTreeMap<EnvironmentId, Vec<Timestamp>>,
    ) -> Self {
        let looked = known.looked.iter().filter_map(|kind| kind.parse().ok()).collect();
        let index = Index::new(Rules::shipped(), &happened.events);
        Self { known, happened, noticed, index, looked, ways: RefCell::default() }
    }

    /// What is to be said of a drift; nothing when it is what was said before.
    pub(super) fn look(&self, drift: &Drifted, said: &Said) -> Option<ToSay> {
        let things: Vec<&str> = drift
            .external
            .iter()
            .chain([&drift.address])
            .map(String::as_str)
            .filter(|thing| !thing.is_empty())
            .collect();
        let call = self.happened.changed_by(&things, drift.began_at, CALLED);
        let at = call.map_or(drift.began_at, |call| call.at);
        let found = self.index.of(&Subject { at, place: place(drift, call) });
        let facts = self.facts(drift, call, at, &found);
        let vector = Vector::of(&facts);
        let learned = self.known.predictor.as_ref().and_then(|model| model.ask(&vector));
        let explained = match (&said.label, &said.exception) {
            (Some((cause, person)), _) => {
                let label = Statement::Label { cause: *cause, person: person.to_string() };
                cause::stated(&facts, &label)
            }
            (None, Some(id)) => cause::stated(&facts, &Statement::Exception { id: id.clone() }),
            (None, None) => cause::explain(&facts, learned.as_ref()),
        };
        let situation = Situation {
            subject: &drift.address,
            drift: drift.drift,
            cause: explained.cause,
            confidence: explained.confidence,
            decided_by: &explained.decided_by,
            axes: drift.axes,
            environment: drift.environment.as_ref().map(|one| one.class),
            around: around(&facts, &found, said),
        };
        let names: Vec<_> = found.iter().map(Belonging::name).collect();
        // How earlier advice turned out is told with it, and says nothing of this drift.
        let plain = recommend(&situation, &BTreeMap::new());
        let told = Digest::of(json!([explained, names, plain]).to_string().as_bytes());
        if said.told == Some(told) && said.advised {
            return None;
        }
        let outcomes = &self.known.outcomes;
        let advice = if outcomes.is_empty() { plain } else { recommend(&situation, outcomes) };
        let belonging = found.iter().map(|one| {
            let (text, actor) = self.happened.told(one.event);
            Belonging::of(one, text, actor)
        });
        let belonging: Vec<Belonging> = belonging.collect();
        Some(ToSay {
            finding: drift.finding,
            resource: drift.known.as_ref().map(|known| known.id),
            subject: drift.address.clone(),
            severity: Severity::from_score(drift.axes.largest()),
            features: vector.values().to_vec(),
            context: context(&found),
            belonging,
            of: self.known.of(drift, said),
            told,
            explained,
            advice,
        })
    }

    fn facts(
        &self,
        drift: &Drifted,
        call: Option<&Call>,
        at: Timestamp,
        found: &[Correlation<'_>],
    ) -> Facts {
        let mut facts = Facts::about(drift.drift);
        let mut all = self.ways.borrow_mut();
        let ways =
            all.entry(drift.kind.clone()).or_insert_with(|| Weights::shipped().ways(&drift.kind));
        facts.properties = drift
            .changes
            .iter()
            .map(|(change, critical)| {
                let direction = ways.direction(change);
                Property::new(&change.path, change.change, *critical, direction)
            })
            .collect();
        drop(all);
        facts.axes = drift.axes;
        let zone = drift.environment.as_ref().and_then(|one| one.zone.as_deref());
        let zone = zone.and_then(|zone| TimeZone::get(zone).ok()).unwrap_or(TimeZone::UTC);
        facts.time = Some(LocalTime::of(&at.to_zoned(zone), call.is_some()));
        facts.calendar = self.calendar(drift, at, found);
        if let Some(call) = call {
            let who = who::who(&Recorded {
                actor: call.actor.as_deref(),
                actor_type: call.called.actor_type.as_deref(),
                role: call.called.role.as_deref(),
                user_agent: call.called.user_agent.as_deref(),
                mfa: call.called.mfa,
            });
            (facts.actor, facts.tool, facts.session) = (who.actor, who.tool, who.session);
        }
        facts.observe(&self.looked, found);
        let burst = call.and_then(|call| Some(self.happened.burst(call.actor.as_deref()?, at)));
        let (changes_in_hour, resources_in_hour) = burst.unwrap_or_default();
        facts.history = Some(History {
            changes_in_hour,
            resources_in_hour,
            drifts_in_day: self.drifts_in_day(drift),
            repeats: drift.repeats,
            reverted_after_minutes: None,
        });
        facts
    }

    fn drifts_in_day(&self, drift: &Drifted) -> u32 {
        let environment = drift.environment.as_ref().and_then(|one| self.noticed.get(&one.id));
        let Some(all) = environment else { return 0 };
        let from = all.partition_point(|at| *at < drift.began_at - DAY);
        let to = all.partition_point(|at| *at < drift.began_at - SAME_LOOK);
        u32::try_from(to.saturating_sub(from)).unwrap_or(u32::MAX)
    }

    /// What the calendar says, where there is one: windows, or maintenances that were told.
    fn calendar(
        &self,
        drift: &Drifted,
        at: Timestamp,
        found: &[Correlation<'_>],
    ) -> Option<Calendar> {
        if self.known.windows.is_empty() && !self.looked.contains(&EventKind::Maintenance) {
            return None;
        }
        let target = target(drift);
        let open = |kind: WindowKind| {
            let mut of = self.known.windows.iter().filter(|window| window.kind == kind);
            of.any(|window| window.covers(target.as_ref()) && active(window, at).is_some())
        };
        let (inside_change_window, freeze) = (open(WindowKind::AllowOnly), open(WindowKind::Deny));
        let maintenances = found.iter().filter(|one| one.event.kind == EventKind::Maintenance);
        let ended = maintenances.filter_map(|one| {
            let since = at.duration_since(one.event.until.unwrap_or(one.event.at));
            if one.during {
                Some(0.0)
            } else {
                Some(since.as_secs_f64() / 3600.0).filter(|hours| *hours >= 0.0)
            }
        });
        let hours = ended.min_by(f64::total_cmp);
        let hours_since_maintenance = if inside_change_window { Some(0.0) } else { hours };
        Some(Calendar { inside_change_window, freeze, hours_since_maintenance })
    }
}

fn place(drift: &Drifted, call: Option<&Call>) -> Place {
    let actor = call.and_then(|call| call.actor.as_deref());
    Place {
        environment: drift.environment.as_ref().map(|one| one.id.to_string()),
        service: drift.service.clone(),
        resources: drift.external.clone(),
        addresses: vec![drift.address.clone()],
        paths: Vec::from_iter(drift.declared_in.clone()),
        actors: actor.map(who::names).unwrap_or_default(),
        shared: Vec::new(),
    }
}

/// The drifted resource as windows pick it; nothing where nobody knows its environment.
fn target(drift: &Drifted) -> Option<Target> {
    let environment = drift.environment.as_ref()?;
    let known = drift.known.as_ref();
    Some(Target {
        resource: known.map_or_else(|| ResourceId::from(uuid::Uuid::nil()), |known| known.id),
        name: known.map_or_else(|| drift.address.clone(), |known| known.name.clone()),
        environment: environment.slug.clone(),
        class: environment.class,
        tags: known.map(|known| known.tags.clone()).unwrap_or_default(),
    })
}

fn around(facts: &Facts, found: &[Correlation<'_>], said: &Said) -> Around {
    let incident = found.iter().any(|one| one.event.kind == EventKind::Incident && one.during);
    let freeze = facts.calendar.is_some_and(|calendar| calendar.freeze);
    Around {
        security_incident: found.iter().any(|one| one.event.kind == EventKind::SecurityEvent),
        held: incident || freeze,
        exception: said.exception.is_some(),
    }
}
