//! Minimising a smooth convex function: L-BFGS (Nocedal and Wright, Numerical Optimization, 2nd
//! ed., algorithms 7.4 and 7.5) with a backtracking line search (Armijo, section 3.1).

/// How many past steps are remembered.
const MEMORY: usize = 10;
/// How much of the promised decrease a step must bring.
const ENOUGH: f64 = 1e-4;
/// How often a step is halved before it is given up.
const HALVINGS: usize = 40;

/// What a minimisation came to.
#[derive(Debug, Clone)]
pub(crate) struct Minimum {
    /// Where.
    pub(crate) at: Vec<f64>,
    /// How many steps were taken.
    pub(crate) iterations: usize,
    /// The greatest component of the gradient there.
    pub(crate) gradient: f64,
    /// Whether that is as small as was asked.
    pub(crate) converged: bool,
}

/// A step and how the gradient changed along it.
struct Step {
    by: Vec<f64>,
    change: Vec<f64>,
    curvature: f64,
}

/// Minimises `function`, which gives its value and writes its gradient.
pub(crate) fn minimise(
    start: Vec<f64>,
    tolerance: f64,
    most: usize,
    mut function: impl FnMut(&[f64], &mut [f64]) -> f64,
) -> Minimum {
    let mut at = start;
    let mut gradient = vec![0.0; at.len()];
    let mut value = function(&at, &mut gradient);
    let mut past: Vec<Step> = Vec::new();
    let mut iterations = 0;
    while iterations < most && greatest(&gradient) > tolerance {
        let mut way = direction(&gradient, &past);
        let mut slope = dot(&way, &gradient);
        if slope >= 0.0 {
            past.clear();
            way = gradient.iter().map(|part| -part).collect();
            slope = dot(&way, &gradient);
        }
        let mut length = if past.is_empty() { 1.0 / greatest(&gradient).max(1.0) } else { 1.0 };
        let mut found = None;
        let mut next = vec![0.0; at.len()];
        for _ in 0..HALVINGS {
            let there: Vec<f64> = at.iter().zip(&way).map(|(x, d)| x + length * d).collect();
            let reached = function(&there, &mut next);
            if reached <= value + ENOUGH * length * slope {
                found = Some((there, reached));
                break;
            }
            length /= 2.0;
        }
        // No further decrease that numbers of 64 bits can hold.
        let Some((there, reached)) = found else { break };
        let by: Vec<f64> = there.iter().zip(&at).map(|(new, old)| new - old).collect();
        let change: Vec<f64> = next.iter().zip(&gradient).map(|(new, old)| new - old).collect();
        let curvature = dot(&by, &change);
        if curvature > 1e-14 * dot(&change, &change) {
            if past.len() == MEMORY {
                past.remove(0);
            }
            past.push(Step { by, change, curvature });
        }
        at = there;
        value = reached;
        gradient = next;
        iterations += 1;
    }
    let left = greatest(&gradient);
    Minimum { at, iterations, gradient: left, converged: left <= tolerance }
}

/// Downhill by what past steps tell of the curvature (the two loops of algorithm 7.4).
fn direction(gradient: &[f64], past: &[Step]) -> Vec<f64> {
    let mut way: Vec<f64> = gradient.iter().map(|part| -part).collect();
    let mut shares = vec![0.0; past.len()];
    for (at, step) in past.iter().enumerate().rev() {
        shares[at] = dot(&step.by, &way) / step.curvature;
        add(&mut way, -shares[at], &step.change);
    }
    if let Some(last) = past.last() {
        let scale = last.curvature / dot(&last.change, &last.change);
        way.iter_mut().for_each(|part| *part *= scale);
    }
    for (at, step) in past.iter().enumerate() {
        let share = dot(&step.change, &way) / step.curvature;
        add(&mut way, shares[at] - share, &step.by);
    }
    way
}

fn dot(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).map(|(l, r)| l * r).sum()
}

fn add(to: &mut [f64], times: f64, what: &[f64]) {
    to.iter_mut().zip(what).for_each(|(to, what)| *to += times * what);
}

fn greatest(numbers: &[f64]) -> f64 {
    numbers.iter().fold(0.0, |most, number| most.max(number.abs()))
}
