//! One tree: its nodes, and the way a row takes through them.

use serde::{Deserialize, Serialize};

/// The most nodes a tree may have.
pub const MAX_NODES: usize = 1 << 18;

/// A node. Those below it come after it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(from = "Packed", into = "Packed")]
pub enum Node {
    /// Where a way ends.
    Leaf {
        /// What is added to the score.
        value: f64,
    },
    /// Where it forks.
    Split {
        /// The position of the feature.
        feature: u32,
        /// Values up to this go left.
        threshold: f64,
        /// The node to the left.
        left: u32,
        /// The node to the right.
        right: u32,
        /// Whether a missing value goes left.
        missing_left: bool,
    },
}

/// A node as it is written: `[value]` or `[feature, threshold, left, right, missing_left]`.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Packed {
    Split(u32, f64, u32, u32, bool),
    Leaf((f64,)),
}

impl From<Packed> for Node {
    fn from(packed: Packed) -> Self {
        match packed {
            Packed::Leaf((value,)) => Self::Leaf { value },
            Packed::Split(feature, threshold, left, right, missing_left) => {
                Self::Split { feature, threshold, left, right, missing_left }
            }
        }
    }
}

impl From<Node> for Packed {
    fn from(node: Node) -> Self {
        match node {
            Node::Leaf { value } => Self::Leaf((value,)),
            Node::Split { feature, threshold, left, right, missing_left } => {
                Self::Split(feature, threshold, left, right, missing_left)
            }
        }
    }
}

/// A tree; its first node is its root.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tree {
    /// Its nodes.
    pub nodes: Vec<Node>,
}

/// Why nodes are no tree.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TreeError {
    /// There are none, or too many.
    #[error("a tree has 1 to {MAX_NODES} nodes, not {0}")]
    Size(usize),
    /// A node leads nowhere, back, or to where another one leads.
    #[error("node {0} does not lead to nodes of its own below it")]
    Shape(usize),
    /// A feature is none of the model's.
    #[error("node {0} asks for a feature that is not there")]
    Feature(usize),
    /// A number is not finite.
    #[error("node {0} has a number that is not finite")]
    Number(usize),
}

impl Tree {
    /// Refuses what is no tree over so many features: every node but the first is led to once, by
    /// a node before it. Then no way through it goes in circles.
    ///
    /// # Errors
    /// With the first node at fault.
    pub fn check(&self, features: usize) -> Result<(), TreeError> {
        if self.nodes.is_empty() || self.nodes.len() > MAX_NODES {
            return Err(TreeError::Size(self.nodes.len()));
        }
        let mut led_to = vec![false; self.nodes.len()];
        led_to[0] = true;
        for (at, node) in self.nodes.iter().enumerate() {
            match *node {
                Node::Leaf { value } if !value.is_finite() => return Err(TreeError::Number(at)),
                Node::Leaf { .. } => {}
                Node::Split { feature, threshold, left, right, .. } => {
                    if feature as usize >= features {
                        return Err(TreeError::Feature(at));
                    }
                    if !threshold.is_finite() {
                        return Err(TreeError::Number(at));
                    }
                    for below in [left as usize, right as usize] {
                        match led_to.get_mut(below) {
                            Some(led) if below > at && !*led => *led = true,
                            _ => return Err(TreeError::Shape(at)),
                        }
                    }
                }
            }
        }
        led_to.iter().position(|led| !led).map_or(Ok(()), |at| Err(TreeError::Shape(at)))
    }

    /// What the leaf a row comes to adds. The tree was checked, and the row has all its features.
    #[must_use]
    pub fn value(&self, row: &[f64]) -> f64 {
        let mut at = 0;
        loop {
            match self.nodes[at] {
                Node::Leaf { value } => return value,
                Node::Split { feature, threshold, left, right, missing_left } => {
                    let value = row[feature as usize];
                    let goes_left = if value.is_nan() { missing_left } else { value <= threshold };
                    at = (if goes_left { left } else { right }) as usize;
                }
            }
        }
    }
}
