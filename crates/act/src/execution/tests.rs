use super::*;

const DUE: &str = "2026-03-01T10:00:00Z";

fn every_event() -> Vec<Event> {
    let due = DUE.parse().unwrap();
    vec![
        Event::Judge,
        Event::Ask,
        Event::Approve,
        Event::Block,
        Event::Deny,
        Event::Expire { due },
        Event::Start,
        Event::Verify,
        Event::Complete,
        Event::Fail,
        Event::TimeOut,
        Event::Cancel,
        Event::RollBack,
        Event::Undone,
        Event::UndoneInPart,
        Event::UndoFailed,
        Event::Doubt,
        Event::ResumeActing,
        Event::ResumeVerifying,
        Event::ResumeUndoing,
    ]
}

#[test]
fn every_state_meets_every_event() {
    let at = DUE.parse().unwrap();
    let mut table = String::new();
    for state in ExecutionState::ALL {
        for event in every_event() {
            if let Ok(to) = on(*state, event, at) {
                let name = format!("{event:?}");
                let name = name.split(' ').next().unwrap();
                table.push_str(&format!("{state} + {name} = {to}\n"));
            }
        }
        if ExecutionState::ALL
            .iter()
            .all(|_| every_event().iter().all(|event| on(*state, *event, at).is_err()))
        {
            table.push_str(&format!("{state}: final\n"));
        }
    }
    insta::assert_snapshot!(table);
}

#[test]
fn terminal_states_take_no_event_and_the_others_take_some() {
    let at = DUE.parse().unwrap();
    for state in ExecutionState::ALL {
        let takes = every_event().iter().any(|event| on(*state, *event, at).is_ok());
        assert_eq!(takes, !state.terminal(), "{state}");
    }
}

#[test]
fn nothing_expires_before_its_time() {
    let due: Timestamp = DUE.parse().unwrap();
    let early = due - jiff::SignedDuration::from_nanos(1);
    let event = Event::Expire { due };
    assert!(on(ExecutionState::AwaitingApproval, event, early).is_err());
    assert_eq!(on(ExecutionState::AwaitingApproval, event, due), Ok(ExecutionState::Expired));
}
