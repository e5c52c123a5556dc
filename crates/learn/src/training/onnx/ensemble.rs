//! A tree ensemble's lists of numbers as trees.
//!
//! A leaf may say something of several classes; each class gets a copy of the tree with what the
//! leaf says of it. `BRANCH_LT` becomes "up to the greatest number below".

use std::collections::HashMap;

use super::graph::Operator;
use super::{OnnxError, link};
use crate::training::artifact::{Link, Model};
use crate::training::trees::{Forest, Node, Tree};

/// The most nodes of all trees, times classes.
const MAX_COPIES: usize = 8_000_000;

/// The lists of a classifier, all of one length.
struct Lists<'a> {
    trees: &'a [i64],
    nodes: &'a [i64],
    features: &'a [i64],
    modes: &'a [String],
    values: &'a [f32],
    left: &'a [i64],
    right: &'a [i64],
    missing: &'a [i64],
}

/// What each leaf says: (tree, node) to (class, weight).
type Leaves = HashMap<(i64, i64), Vec<(usize, f64)>>;

pub(super) fn trees(
    node: &Operator,
    features: usize,
    classes: usize,
) -> Result<(Model, Link), OnnxError> {
    let lists = lists(node)?;
    if lists.trees.len().saturating_mul(classes) > MAX_COPIES {
        return Err(OnnxError::Shape("the trees have too many nodes"));
    }
    let said = leaves(node, classes)?;
    let leaves = &said.leaves;
    // Nodes of a tree stand together, its root first.
    let mut rounds = Vec::new();
    let mut from = 0;
    while from < lists.trees.len() {
        let tree = lists.trees[from];
        let to = (from..lists.trees.len()).find(|at| lists.trees[*at] != tree);
        let to = to.unwrap_or(lists.trees.len());
        let shape = Shape::of(&lists, from, to, features)?;
        rounds.push((0..classes).map(|class| shape.tree(&lists, leaves, class)).collect());
        from = to;
    }
    let (scores, link) = finish(node, classes, said.of_one)?;
    Ok((Model::Trees(Forest { base: scores, rounds, single: true }), link))
}

/// Scores before any tree, and what is done with them in the end.
fn finish(node: &Operator, classes: usize, of_one: bool) -> Result<(Vec<f64>, Link), OnnxError> {
    let base: Vec<f64> = node.floats("base_values").iter().copied().map(f64::from).collect();
    if !of_one {
        return match base.len() {
            0 => Ok((vec![0.0; classes], link(node)?)),
            length if length == classes => Ok((base, link(node)?)),
            _ => Err(OnnxError::Shape("base_values do not fit the classes")),
        };
    }
    let base = match base.as_slice() {
        [] => 0.0,
        [one] => *one,
        _ => return Err(OnnxError::Shape("base_values do not fit the one score")),
    };
    match node.text("post_transform").unwrap_or("NONE") {
        "LOGISTIC" => Ok((vec![0.0, base], Link::Softmax)),
        // The score is the share of the second class.
        "NONE" => Ok((vec![1.0 - base, base], Link::Shares)),
        _ => Err(OnnxError::Shape("one score of two classes that is neither share nor log-odds")),
    }
}

fn lists(node: &Operator) -> Result<Lists<'_>, OnnxError> {
    if node.attribute("nodes_values_as_tensor").is_some()
        || node.attribute("class_weights_as_tensor").is_some()
    {
        return Err(OnnxError::Unsupported("a tree ensemble with 64-bit tensors".to_owned()));
    }
    let lists = Lists {
        trees: node.integers("nodes_treeids"),
        nodes: node.integers("nodes_nodeids"),
        features: node.integers("nodes_featureids"),
        modes: node.texts("nodes_modes"),
        values: node.floats("nodes_values"),
        left: node.integers("nodes_truenodeids"),
        right: node.integers("nodes_falsenodeids"),
        missing: node.integers("nodes_missing_value_tracks_true"),
    };
    let count = lists.trees.len();
    let lengths = [
        lists.nodes.len(),
        lists.features.len(),
        lists.modes.len(),
        lists.values.len(),
        lists.left.len(),
        lists.right.len(),
    ];
    let fits = lengths.iter().all(|length| *length == count);
    if count == 0 || !fits || (!lists.missing.is_empty() && lists.missing.len() != count) {
        return Err(OnnxError::Shape("the lists of the trees' nodes are not of one length"));
    }
    Ok(lists)
}

/// What leaves say.
struct Said {
    leaves: Leaves,
    /// Whether they say it of one class of two alone.
    of_one: bool,
}

fn leaves(node: &Operator, classes: usize) -> Result<Said, OnnxError> {
    let (trees, nodes) = (node.integers("class_treeids"), node.integers("class_nodeids"));
    let (ids, weights) = (node.integers("class_ids"), node.floats("class_weights"));
    if trees.len() != nodes.len() || trees.len() != ids.len() || trees.len() != weights.len() {
        return Err(OnnxError::Shape("the lists of the leaves are not of one length"));
    }
    let one = ids.first().is_some_and(|first| ids.iter().all(|id| id == first));
    let of_one = classes == 2 && one;
    let share = of_one && node.text("post_transform") != Some("LOGISTIC");
    if share && weights.iter().any(|weight| *weight < 0.0) {
        return Err(OnnxError::Shape("shares of a class below 0"));
    }
    let mut leaves = Leaves::new();
    for at in 0..trees.len() {
        let class = if of_one { Some(1) } else { usize::try_from(ids[at]).ok() };
        let Some(class) = class.filter(|class| *class < classes) else {
            return Err(OnnxError::Shape("a leaf speaks of a class that is not there"));
        };
        let weight = f64::from(weights[at]);
        let said = leaves.entry((trees[at], nodes[at])).or_default();
        said.push((class, weight));
        if share {
            said.push((0, -weight));
        }
    }
    Ok(Said { leaves, of_one })
}

/// A tree's nodes in the order of ours: each before those below it.
struct Shape {
    /// Per node of ours, which of theirs.
    order: Vec<usize>,
    /// Per node of ours, the split; leaves have none.
    splits: Vec<Option<Node>>,
}

impl Shape {
    fn of(lists: &Lists<'_>, from: usize, to: usize, features: usize) -> Result<Self, OnnxError> {
        let broken = || OnnxError::Shape("the nodes of a tree are none");
        let mut at_id: HashMap<i64, usize> = HashMap::new();
        for at in from..to {
            if at_id.insert(lists.nodes[at], at).is_some() {
                return Err(broken());
            }
        }
        // From the root downwards; a node that comes up twice ends it.
        let mut order = vec![from];
        let mut place: HashMap<usize, usize> = HashMap::from([(from, 0)]);
        let mut splits = Vec::new();
        let mut next = 0;
        while next < order.len() {
            let at = order[next];
            next += 1;
            if lists.modes[at] == "LEAF" {
                splits.push(None);
                continue;
            }
            let feature = usize::try_from(lists.features[at]).ok().filter(|at| *at < features);
            let feature = feature.and_then(|at| u32::try_from(at).ok()).ok_or_else(broken)?;
            let mut below = [0_u32; 2];
            for (side, id) in [lists.left[at], lists.right[at]].into_iter().enumerate() {
                let under = *at_id.get(&id).ok_or_else(broken)?;
                if place.insert(under, order.len()).is_some() {
                    return Err(broken());
                }
                below[side] = u32::try_from(order.len()).map_err(|_| broken())?;
                order.push(under);
            }
            splits.push(Some(Node::Split {
                feature,
                threshold: threshold(&lists.modes[at], lists.values[at])?,
                left: below[0],
                right: below[1],
                missing_left: lists.missing.get(at) == Some(&1),
            }));
        }
        Ok(Self { order, splits })
    }

    fn tree(&self, lists: &Lists<'_>, leaves: &Leaves, class: usize) -> Tree {
        let node = |(at, split): (&usize, &Option<Node>)| {
            split.unwrap_or_else(|| {
                let said = leaves.get(&(lists.trees[*at], lists.nodes[*at]));
                let said = said.into_iter().flatten().filter(|(of, _)| *of == class);
                Node::Leaf { value: said.map(|(_, weight)| weight).sum() }
            })
        };
        Tree { nodes: self.order.iter().zip(&self.splits).map(node).collect() }
    }
}

fn threshold(mode: &str, value: f32) -> Result<f64, OnnxError> {
    if !value.is_finite() {
        return Err(OnnxError::Shape("a threshold is not finite"));
    }
    match mode {
        "BRANCH_LEQ" => Ok(f64::from(value)),
        "BRANCH_LT" => Ok(f64::from(value.next_down())),
        other => Err(OnnxError::Unsupported(format!("the comparison {}", super::shown(other)))),
    }
}
