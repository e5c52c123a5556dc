//! What a scan on another host printed, read by the rules of what is posted.

use api::problem::Answer;
use api::{Problem, body};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::super::change_event::HappenedIn;
use super::{FinishIn, ScannedIn, not_checked, remarked};
use crate::change_event::{ChangeKind, Happened};
use crate::scan::{Against, Told};

/// The longest line, in bytes.
const LONGEST_LINE: usize = 1 << 20;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    against: Against,
}

/// A call that somebody made, in a line of its own.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    happened: HappenedIn,
}

/// How such a line begins, as it is printed: no drift does.
const HAPPENED: &str = r#"{"happened":"#;
/// Calls a scan may tell.
const MOST_HAPPENED: usize = 1_000;

/// Reads the lines that `countersign drift scan --report lines` prints.
///
/// They say what it was compared with, each drift, who called what, and how it ended. Without the last one nothing is
/// known: output that was cut off must close nothing.
///
/// # Errors
/// A problem whose path names the line at fault.
pub fn told(printed: &str) -> Answer<Told> {
    let lines: Vec<_> =
        printed.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).collect();
    let [(_, head), between @ .., (end, last)] = lines.as_slice() else {
        return Err(Problem::invalid("", "incomplete", "the scan did not say how it ended"));
    };
    let Head { against } = line(0, head)?;
    let (mut drifts, mut calls) = (Vec::new(), Vec::new());
    for (at, text) in between {
        if text.starts_with(HAPPENED) {
            calls.push(call(line::<Line>(*at, text)?).map_err(|fault| of_line(*at, fault))?);
        } else {
            let drift = line::<ScannedIn>(*at, text)?.drift();
            drifts.push(drift.map_err(|fault| of_line(*at, fault))?);
        }
    }
    if calls.len() > MOST_HAPPENED {
        let message = format!("may tell at most {MOST_HAPPENED} calls");
        return Err(Problem::invalid("/happened", "length", message));
    }
    let FinishIn { in_sync, not_checked: left_out, undeclared, remark } = line(*end, last)?;
    let not_checked = not_checked(left_out)?;
    remarked(remark.as_deref())?;
    Ok(Told { against, drifts, in_sync, not_checked, undeclared, happened: calls, remark })
}

/// A call. A scan tells nothing else of what happened outside.
fn call(line: Line) -> Answer<Happened> {
    let happened = line.happened.happened()?;
    if happened.kind == ChangeKind::AuditEvent {
        return Ok(happened);
    }
    Err(Problem::invalid("/happened/kind", "value", "must be audit_event"))
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
        let call = r#"{"happened":{"kind":"audit_event","occurred_at":"2026-03-01T10:00:00Z","external_system":"cloudtrail","external_id":"8f1c","actor":"ada","resources":["i-1"],"data":{"sessionToken":"canary"}}}"#;
        let end = END.replace("]}", "],\"remark\":\"no more is known\"}");
        let read = told(&format!("{HEAD}\n{DRIFT}\n{call}\n{end}\n")).unwrap();
        assert_eq!((read.drifts.len(), read.happened.len()), (1, 1));
        assert_eq!(read.happened[0].actor.as_deref(), Some("ada"));
        assert!(!format!("{:?}", read.happened).contains("canary"));
        assert_eq!(read.remark.as_deref(), Some("no more is known"));
        let other = call.replace("audit_event", "deployment");
        let refused = told(&format!("{HEAD}\n{other}\n{END}")).unwrap_err();
        assert_eq!(refused.errors[0].path, "/1/happened/kind");
        let twice = format!("{HEAD}\n{}\n{END}", DRIFT.replace("\"id\"", "\"type\""));
        assert_eq!(told(&twice).unwrap_err().errors[0].path.split('/').nth(1), Some("1"));
    }
}
