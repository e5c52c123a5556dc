//! What a scan on another host printed, read by the rules of what is posted.

use api::problem::Answer;
use api::{Problem, body};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{FinishIn, ScannedIn, not_checked};
use crate::scan::{Against, Told};

/// The longest line, in bytes.
const LONGEST_LINE: usize = 1 << 20;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    against: Against,
}

/// Reads the lines that `countersign drift scan --report lines` prints.
///
/// They say what it was compared with, each drift, and how it ended. Without the last one nothing is
/// known: output that was cut off must close nothing.
///
/// # Errors
/// A problem whose path names the line at fault.
pub fn told(printed: &str) -> Answer<Told> {
    let lines: Vec<_> =
        printed.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).collect();
    let [(_, head), drifts @ .., (end, last)] = lines.as_slice() else {
        return Err(Problem::invalid("", "incomplete", "the scan did not say how it ended"));
    };
    let Head { against } = line(0, head)?;
    let drifts = drifts.iter().map(|(at, text)| {
        let drift = line::<ScannedIn>(*at, text)?.drift();
        drift.map_err(|fault| of_line(*at, fault))
    });
    let drifts = drifts.collect::<Answer<Vec<_>>>()?;
    let FinishIn { in_sync, not_checked: left_out, undeclared } = line(*end, last)?;
    Ok(Told { against, drifts, in_sync, not_checked: not_checked(left_out)?, undeclared })
}

fn line<T: DeserializeOwned>(at: usize, text: &str) -> Answer<T> {
    body::parse(text.as_bytes(), LONGEST_LINE).map_err(|fault| of_line(at, fault))
}

/// The same problem, its paths beginning with the line.
fn of_line(at: usize, mut problem: Problem) -> Problem {
    for fault in &mut problem.errors {
        fault.path = format!("/{at}{}", fault.path);
    }
    problem
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = r#"{"against":"provider"}"#;
    const DRIFT: &str = r#"{"address":"aws_instance.web","type":"aws_instance","id":"i-1","drift_type":"modified","changes":[{"property_path":"instance_type","change_type":"modified","declared_value":"t3.micro","actual_value":"t3.large"}],"declared_state":null,"actual_state":null}"#;
    const END: &str = r#"{"in_sync":3,"not_checked":[],"undeclared":["*"]}"#;

    #[test]
    fn a_scan_is_read_whole_or_not_at_all() {
        let read = told(&format!("{HEAD}\n{DRIFT}\n{END}\n")).unwrap();
        assert_eq!((read.drifts.len(), read.in_sync), (1, 3));
        assert_eq!(read.drifts[0].changes[0].path, "instance_type");
        assert_eq!(told(&format!("{HEAD}\n{END}")).unwrap().drifts.len(), 0);
        // Cut off: in the middle of a line, or before the end was said.
        for cut in ["", HEAD, &format!("{HEAD}\n{DRIFT}"), &format!("{HEAD}\n{DRIFT}\n{{\"in_sy")] {
            assert!(told(cut).is_err(), "{cut}");
        }
        let twice = format!("{HEAD}\n{}\n{END}", DRIFT.replace("\"id\"", "\"type\""));
        assert_eq!(told(&twice).unwrap_err().errors[0].path.split('/').nth(1), Some("1"));
    }
}
