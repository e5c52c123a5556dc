//! `drift-sim`: made-up drifts whose causes are known, and what could be known of them at best.
//!
//! A causal graph: cause → actor, actor → tool, actor → hour, cause → property, cause → nearness of
//! an incident, of a security finding, of a commit; a tenant shifts the shares of causes. A twentieth
//! of the labels is wrong, a fifth of all fields is missing. Because all of this is known, so is the
//! posterior of each cause: what a model lacks to it is what it could still learn. A score on a
//! simulator means nothing by itself; regret does.

use super::dataset::{Dataset, Row};
use super::random::Random;
use super::softmax::greatest;

/// The causes, as the product calls them.
pub const CAUSES: [&str; 5] = [
    "automated_response",
    "configuration_error",
    "emergency_fix",
    "manual_troubleshooting",
    "security_response",
];
const FEATURES: [&str; 22] = [
    "actor_human",
    "actor_service",
    "actor_autoscaler",
    "actor_pipeline",
    "tool_console",
    "tool_cli",
    "tool_sdk",
    "tool_terraform",
    "hour_office",
    "hour_evening",
    "hour_night",
    "property_capacity",
    "property_network",
    "property_access",
    "property_tag",
    "loosened",
    "incident_near",
    "incident_minutes",
    "finding_near",
    "finding_minutes",
    "reverted_soon",
    "tenant",
];

const PRIOR: [f64; 5] = [0.30, 0.28, 0.12, 0.18, 0.12];
/// Actor by cause: human, service, autoscaler, pipeline.
const ACTOR: [[f64; 4]; 5] = [
    [0.04, 0.36, 0.50, 0.10],
    [0.55, 0.10, 0.02, 0.33],
    [0.80, 0.08, 0.02, 0.10],
    [0.86, 0.08, 0.02, 0.04],
    [0.62, 0.24, 0.02, 0.12],
];
/// Tool by actor: console, command line, SDK, Terraform.
const TOOL: [[f64; 4]; 4] = [
    [0.50, 0.35, 0.05, 0.10],
    [0.02, 0.18, 0.70, 0.10],
    [0.01, 0.01, 0.97, 0.01],
    [0.02, 0.28, 0.20, 0.50],
];
/// Hours by actor: office, evening, night.
const HOUR: [[f64; 3]; 4] =
    [[0.66, 0.24, 0.10], [0.40, 0.30, 0.30], [0.42, 0.30, 0.28], [0.60, 0.25, 0.15]];
/// Property by cause: capacity, network, access, tag.
const PROPERTY: [[f64; 4]; 5] = [
    [0.70, 0.10, 0.05, 0.15],
    [0.20, 0.30, 0.20, 0.30],
    [0.40, 0.35, 0.15, 0.10],
    [0.25, 0.40, 0.25, 0.10],
    [0.03, 0.45, 0.50, 0.02],
];
/// Whether it was loosened, by cause.
const LOOSENED: [f64; 5] = [0.45, 0.55, 0.65, 0.75, 0.06];
/// Whether an incident is near, by cause.
const INCIDENT: [f64; 5] = [0.15, 0.08, 0.85, 0.45, 0.25];
/// Whether a finding of security is near, by cause.
const FINDING: [f64; 5] = [0.05, 0.08, 0.10, 0.06, 0.80];
/// The logarithm of minutes to what is near, by cause: mean, with the deviation 1.
const MINUTES: [f64; 5] = [4.2, 4.5, 2.2, 3.4, 3.3];
/// Whether it was put back within an hour, by cause.
const REVERTED: [f64; 5] = [0.25, 0.10, 0.20, 0.55, 0.05];
/// How much more of which causes each tenant has.
const TENANT: [[f64; 5]; 4] = [
    [1.0, 1.0, 1.0, 1.0, 1.0],
    [2.0, 0.8, 0.7, 0.8, 0.8],
    [0.6, 1.2, 1.6, 1.4, 0.7],
    [0.7, 0.9, 0.8, 0.8, 2.2],
];
const WRONG_LABELS: f64 = 0.05;
const MISSING: f64 = 0.2;

/// Simulated drifts, with what is known of them.
#[derive(Debug, Clone)]
pub struct Simulated {
    /// What a model sees: a twentieth of its labels is wrong.
    pub data: Dataset,
    /// The true causes.
    pub truth: Vec<usize>,
    /// The posterior of the true cause, of each row.
    pub posterior: Vec<Vec<f64>>,
}

impl Simulated {
    /// The best answers there are.
    #[must_use]
    pub fn best(&self) -> Vec<usize> {
        self.posterior.iter().map(|shares| greatest(shares)).collect()
    }

    /// The posterior of the label, which is sometimes wrong.
    #[must_use]
    pub fn of_labels(&self) -> Vec<Vec<f64>> {
        let noisy = |share: &f64| share * (1.0 - WRONG_LABELS) + (1.0 - share) * WRONG_LABELS / 4.0;
        self.posterior.iter().map(|shares| shares.iter().map(noisy).collect()).collect()
    }
}

/// Makes drifts up.
///
/// # Panics
/// Never: every row has the features that are named.
#[must_use]
pub fn simulate(rows: usize, seed: u64) -> Simulated {
    let mut random = Random::new(seed, 0xD51F);
    let (mut all, mut truth, mut posterior) = (Vec::new(), Vec::new(), Vec::new());
    for at in 0..rows {
        let tenant = random.below(TENANT.len());
        let cause = drawn(&mut random, &shares(tenant));
        let seen = Seen::of(&mut random, cause, tenant);
        let label = if random.unit() < WRONG_LABELS {
            (cause + 1 + random.below(CAUSES.len() - 1)) % CAUSES.len()
        } else {
            cause
        };
        let mut row = Row::new(seen.values(), label);
        row.group = Some(format!("tenant-{tenant}"));
        row.time = i64::try_from(at).ok().map(|at| 1_767_225_600 + at * 600);
        all.push(row);
        truth.push(cause);
        posterior.push(seen.posterior());
    }
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let data = Dataset::new(names(&FEATURES), names(&CAUSES), all).expect("rows are well formed");
    Simulated { data, truth, posterior }
}

fn shares(tenant: usize) -> Vec<f64> {
    let mass: Vec<f64> = PRIOR.iter().zip(TENANT[tenant]).map(|(prior, by)| prior * by).collect();
    let total: f64 = mass.iter().sum();
    mass.iter().map(|mass| mass / total).collect()
}

fn drawn(random: &mut Random, shares: &[f64]) -> usize {
    let mut left = random.unit();
    for (at, share) in shares.iter().enumerate() {
        left -= share;
        if left < 0.0 {
            return at;
        }
    }
    shares.len() - 1
}

/// A normal number (Box and Muller).
fn normal(random: &mut Random) -> f64 {
    let (first, second) = (1.0 - random.unit(), random.unit());
    libm::sqrt(-2.0 * libm::log(first)) * libm::cos(std::f64::consts::TAU * second)
}

/// What of a drift is seen; what is missing is `None`.
struct Seen {
    tenant: usize,
    actor: Option<usize>,
    tool: Option<usize>,
    hour: Option<usize>,
    property: Option<usize>,
    loosened: Option<bool>,
    /// Whether one is near, and how far: the logarithm of minutes.
    incident: Option<(bool, f64)>,
    finding: Option<(bool, f64)>,
    reverted: Option<bool>,
}

impl Seen {
    fn of(random: &mut Random, cause: usize, tenant: usize) -> Self {
        let actor = drawn(random, &ACTOR[cause]);
        let tool = drawn(random, &TOOL[actor]);
        let hour = drawn(random, &HOUR[actor]);
        let property = drawn(random, &PROPERTY[cause]);
        let loosened = random.unit() < LOOSENED[cause];
        let incident = (random.unit() < INCIDENT[cause], MINUTES[cause] + normal(random));
        let finding = (random.unit() < FINDING[cause], MINUTES[cause] + normal(random));
        let reverted = random.unit() < REVERTED[cause];
        Self {
            tenant,
            actor: kept(random, actor),
            tool: kept(random, tool),
            hour: kept(random, hour),
            property: kept(random, property),
            loosened: kept(random, loosened),
            incident: kept(random, incident),
            finding: kept(random, finding),
            reverted: kept(random, reverted),
        }
    }

    fn values(&self) -> Vec<f64> {
        let mut values = Vec::with_capacity(FEATURES.len());
        let mut one_of = |which: Option<usize>, of: usize| {
            for at in 0..of {
                values.push(which.map_or(f64::NAN, |which| f64::from(u8::from(which == at))));
            }
        };
        one_of(self.actor, 4);
        one_of(self.tool, 4);
        one_of(self.hour, 3);
        one_of(self.property, 4);
        let flag = |flag: Option<bool>| flag.map_or(f64::NAN, |flag| f64::from(u8::from(flag)));
        values.push(flag(self.loosened));
        for near in [self.incident, self.finding] {
            values.push(flag(near.map(|(near, _)| near)));
            // What is not near has no distance.
            let minutes = near.filter(|(near, _)| *near).map(|(_, minutes)| minutes);
            values.push(minutes.unwrap_or(f64::NAN));
        }
        values.push(flag(self.reverted));
        values.push(super::softmax::real(self.tenant));
        values
    }

    /// Bayes' theorem over the graph; the actor is summed over where it is missing.
    fn posterior(&self) -> Vec<f64> {
        let prior = shares(self.tenant);
        let mass: Vec<f64> =
            (0..CAUSES.len()).map(|cause| prior[cause] * self.given(cause)).collect();
        let total: f64 = mass.iter().sum();
        mass.iter().map(|mass| mass / total).collect()
    }

    /// How likely what is seen is, of one cause.
    fn given(&self, cause: usize) -> f64 {
        let by = |actor: usize| {
            let tool = self.tool.map_or(1.0, |tool| TOOL[actor][tool]);
            let hour = self.hour.map_or(1.0, |hour| HOUR[actor][hour]);
            ACTOR[cause][actor] * tool * hour
        };
        let who: f64 = self.actor.map_or_else(|| (0..4).map(by).sum(), by);
        let what = self.property.map_or(1.0, |property| PROPERTY[cause][property]);
        let flag = |seen: Option<bool>, share: f64| {
            seen.map_or(1.0, |seen| if seen { share } else { 1.0 - share })
        };
        let near = |seen: Option<(bool, f64)>, share: f64| match seen {
            None => 1.0,
            Some((false, _)) => 1.0 - share,
            Some((true, minutes)) => {
                let off = minutes - MINUTES[cause];
                share * libm::exp(-off * off / 2.0)
            }
        };
        who * what
            * flag(self.loosened, LOOSENED[cause])
            * near(self.incident, INCIDENT[cause])
            * near(self.finding, FINDING[cause])
            * flag(self.reverted, REVERTED[cause])
    }
}

fn kept<T>(random: &mut Random, value: T) -> Option<T> {
    if random.unit() < MISSING { None } else { Some(value) }
}
