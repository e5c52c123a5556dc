//! Growing one tree: histograms of slopes, the best split of each node, and its leaves.

use super::Slope;
use super::bins::Bins;
use super::tree::{Node, Tree};

/// What bounds a tree.
#[derive(Debug)]
pub(super) struct Limits {
    pub(super) depth: usize,
    pub(super) ridge: f64,
    pub(super) least: f64,
    pub(super) rate: f64,
}

/// The least gain a split must bring; below it is rounding.
const LEAST_GAIN: f64 = 1e-9;

/// A split that was found.
#[derive(Debug, Clone, Copy)]
struct Found {
    gain: f64,
    feature: usize,
    /// The last bin that goes left.
    bin: usize,
    threshold: f64,
    missing_left: bool,
}

/// Grows one tree.
pub(super) struct Grower<'a> {
    bins: &'a Bins,
    slopes: &'a [Slope],
    limits: &'a Limits,
    gains: &'a mut [f64],
    nodes: Vec<Node>,
}

impl<'a> Grower<'a> {
    pub(super) fn new(
        bins: &'a Bins,
        slopes: &'a [Slope],
        limits: &'a Limits,
        gains: &'a mut [f64],
    ) -> Self {
        Self { bins, slopes, limits, gains, nodes: Vec::new() }
    }

    pub(super) fn tree(mut self, rows: &[u32]) -> Tree {
        let histogram = self.histogram(rows);
        self.node(rows.to_vec(), histogram, 0);
        Tree { nodes: self.nodes }
    }

    fn histogram(&self, rows: &[u32]) -> Vec<Slope> {
        let mut histogram = vec![Slope::default(); self.bins.total];
        for row in rows {
            let slope = self.slopes[*row as usize];
            for place in self.bins.row(*row) {
                let bin = &mut histogram[*place as usize];
                bin.gradient += slope.gradient;
                bin.curvature += slope.curvature;
            }
        }
        histogram
    }

    /// Adds a node for `rows` and everything below it; gives its position.
    fn node(&mut self, rows: Vec<u32>, histogram: Vec<Slope>, depth: usize) -> u32 {
        let at = self.nodes.len();
        let sum = rows.iter().fold(Slope::default(), |sum, row| sum + self.slopes[*row as usize]);
        let leaf = Node::Leaf {
            value: -self.limits.rate * sum.gradient / (sum.curvature + self.limits.ridge),
        };
        self.nodes.push(leaf);
        let found = if depth < self.limits.depth { self.best(&histogram, sum) } else { None };
        if let Some(found) = found {
            let (left, right) = self.parted(rows, &found);
            // The smaller side is counted, the other is what is left of the whole.
            let (small, many) =
                if left.len() <= right.len() { (&left, true) } else { (&right, false) };
            let counted = self.histogram(small);
            let mut rest = histogram;
            for (rest, counted) in rest.iter_mut().zip(&counted) {
                rest.gradient -= counted.gradient;
                rest.curvature -= counted.curvature;
            }
            let (of_left, of_right) = if many { (counted, rest) } else { (rest, counted) };
            self.gains[found.feature] += found.gain;
            let left = self.node(left, of_left, depth + 1);
            let right = self.node(right, of_right, depth + 1);
            self.nodes[at] = Node::Split {
                feature: u32::try_from(found.feature).unwrap_or(u32::MAX),
                threshold: found.threshold,
                left,
                right,
                missing_left: found.missing_left,
            };
        }
        u32::try_from(at).unwrap_or(u32::MAX)
    }

    fn parted(&self, rows: Vec<u32>, found: &Found) -> (Vec<u32>, Vec<u32>) {
        let start = self.bins.starts[found.feature];
        let missing = self.bins.cuts[found.feature].len() + 1;
        rows.into_iter().partition(|row| {
            let bin = self.bins.row(*row)[found.feature] as usize - start;
            if bin == missing { found.missing_left } else { bin <= found.bin }
        })
    }

    /// The split with the greatest gain; the first of several.
    fn best(&self, histogram: &[Slope], sum: Slope) -> Option<Found> {
        let whole = self.score(sum);
        let mut best: Option<Found> = None;
        for (feature, cuts) in self.bins.cuts.iter().enumerate() {
            let start = self.bins.starts[feature];
            let bins = &histogram[start..start + cuts.len() + 2];
            let missing = bins[cuts.len() + 1];
            let some_missing = missing.curvature > 1e-6;
            let mut left = Slope::default();
            for bin in 0..=cuts.len() {
                left = left + bins[bin];
                let last = bin == cuts.len();
                if last && !some_missing {
                    break;
                }
                // Where nothing is missing, what will be goes the way of the heavier side.
                let heavier = left.curvature >= sum.curvature - left.curvature;
                let sides: &[bool] = match (some_missing, last) {
                    (false, _) => {
                        if heavier {
                            &[true]
                        } else {
                            &[false]
                        }
                    }
                    (true, true) => &[false],
                    (true, false) => &[false, true],
                };
                for missing_left in sides {
                    let left = if *missing_left { left + missing } else { left };
                    let right = sum - left;
                    if left.curvature < self.limits.least || right.curvature < self.limits.least {
                        continue;
                    }
                    let gain = self.score(left) + self.score(right) - whole;
                    if gain > best.map_or(LEAST_GAIN, |best| best.gain) {
                        let threshold = if last { f64::MAX } else { cuts[bin] };
                        let missing_left = *missing_left;
                        best = Some(Found { gain, feature, bin, threshold, missing_left });
                    }
                }
            }
        }
        best
    }

    fn score(&self, slope: Slope) -> f64 {
        slope.gradient * slope.gradient / (slope.curvature + self.limits.ridge)
    }
}

impl std::ops::Add for Slope {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            gradient: self.gradient + other.gradient,
            curvature: self.curvature + other.curvature,
        }
    }
}

impl std::ops::Sub for Slope {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self {
            gradient: self.gradient - other.gradient,
            curvature: self.curvature - other.curvature,
        }
    }
}
