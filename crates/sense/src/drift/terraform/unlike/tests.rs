use proptest::prelude::*;

use super::super::Document;
use super::*;
use crate::drift::compare::{Comparison, Engine, Live};
use crate::drift::diff::Scope;
use crate::drift::rules::Rules;
use crate::drift::seal::Sealer;

/// A block: its name, what its instances say, and how it is written.
type Written = (u8, Vec<u8>, bool);

fn block((name, instances, wide): &Written) -> String {
    let instances = instances.iter().enumerate().map(|(index, size)| {
        format!(r#"{{"index_key": {index}, "attributes": {{"id": "i-{name}-{index}", "size": {size}}}}}"#)
    });
    let mode = if name % 7 == 6 { "data" } else { "managed" };
    let text = format!(
        r#"{{"mode": "{mode}", "type": "aws_instance", "name": "r{name}", "instances": [{}]}}"#,
        instances.collect::<Vec<_>>().join(", ")
    );
    if *wide { text.replace(": ", ":\n    ") } else { text }
}

fn state(blocks: &[Written]) -> String {
    let blocks: Vec<String> = blocks.iter().map(block).collect();
    format!(
        "{{\n  \"version\": 4,\n  \"outputs\": {{\"a\": {{\"value\": \"{{\\\"resources\\\": []\"}}}},\n  \
         \"resources\": [{}\n  ],\n  \"check_results\": null\n}}\n",
        blocks.join(",\n    ")
    )
}

fn engine(sealer: &Sealer) -> Engine<'_> {
    Engine { rules: Rules::shipped(), scope: Scope::Whole, sealer }
}

fn compared(declared: &str, live: &str) -> Option<Comparison> {
    let (Document::State(declared), Document::State(resources)) =
        (Document::read(declared).ok()?, Document::read(live).ok()?)
    else {
        return None;
    };
    engine(&Sealer::new(b"tests")).compare(&declared, &Live { resources, ..Live::default() }).ok()
}

/// Read a few bytes at a time.
struct Drops<'t>(&'t [u8]);

impl Read for Drops<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let most = buffer.len().min(7);
        self.0.read(buffer.get_mut(..most).unwrap_or_default())
    }
}

fn left(declared: &str, live: &str) -> Option<Unlike> {
    let kept = |kind: &str| kind == "kept";
    let left = unlike(declared.as_bytes(), live.as_bytes(), &kept);
    assert_eq!(left, unlike(Drops(declared.as_bytes()), Drops(live.as_bytes()), &kept));
    left
}

/// What is left, compared.
fn reduced(declared: &str, live: &str) -> Option<Comparison> {
    let left = left(declared, live)?;
    let mut done = compared(&left.declared, &left.live)?;
    done.in_sync += left.same;
    Some(done)
}

fn blocks() -> impl Strategy<Value = Vec<Written>> {
    let block = (prop::collection::vec(0..3_u8, 0..3), any::<bool>());
    // No two of one name, as Terraform has it.
    prop::collection::btree_map(0..40_u8, block, 0..30)
        .prop_map(|all| all.into_iter().map(|(name, (sizes, wide))| (name, sizes, wide)).collect())
}

/// A state, and what became of it: some gone, some changed, some new, some at another place.
fn sides() -> impl Strategy<Value = (Vec<Written>, Vec<Written>)> {
    let became = prop::collection::vec((0..8_u8, any::<prop::sample::Index>()), 40);
    (blocks(), blocks(), became).prop_map(|(declared, new, became)| {
        let mut live: Vec<Written> = Vec::new();
        for (block, (fate, place)) in declared.iter().zip(became) {
            let mut block = block.clone();
            match fate {
                0 => continue,
                1 => block.1.iter_mut().for_each(|size| *size += 1),
                2 => block.2 = !block.2,
                _ => (),
            }
            let end = live.len();
            live.insert(if fate == 3 { place.index(end + 1) } else { end }, block);
        }
        let named = |one: &Written| declared.iter().any(|other| one.0 == other.0);
        live.extend(new.into_iter().filter(|one| !named(one)));
        (declared, live)
    })
}

proptest! {
    #[test]
    fn what_is_left_of_two_states_differs_as_they_do((declared, live) in sides()) {
        let (declared, live) = (state(&declared), state(&live));
        let done = reduced(&declared, &live);
        prop_assert!(done.is_some(), "they are good");
        prop_assert_eq!(done, compared(&declared, &live));
    }

    #[test]
    fn what_is_broken_is_not_read_at_all(
        (declared, live) in sides(),
        which: bool,
        at: prop::sample::Index,
        instead in prop::sample::select(vec!["", "{", "}", "[", "]", ",", "\"", ":", "x", "\u{a0}", "7"]),
        cut: bool,
    ) {
        let (mut declared, mut live) = (state(&declared), state(&live));
        let text = if which { &mut declared } else { &mut live };
        let at = at.index(text.len());
        let end = if cut { text.len() } else { at + 1 };
        text.replace_range(at..end, instead);
        if let Some(done) = reduced(&declared, &live) {
            prop_assert_eq!(Some(done), compared(&declared, &live));
        }
    }
}

#[test]
fn what_is_the_same_to_the_byte_is_left_out() {
    let all: Vec<Written> = (0..30).map(|name| (name, vec![1, 2], false)).collect();
    let declared = state(&all);
    let mut changed = all.clone();
    changed.remove(4);
    changed[10].1[0] = 9;
    let unlike = left(&declared, &state(&changed)).unwrap();
    // Four of thirty are data, which nothing declares.
    assert_eq!(unlike.same, 48);
    let names = |state: &str| {
        let names = state.split(r#""name": ""#).skip(1);
        names.filter_map(|rest| rest.split('"').next().map(str::to_owned)).collect::<Vec<_>>()
    };
    assert_eq!(
        (names(&unlike.declared), names(&unlike.live)),
        (vec!["r4".to_owned(), "r11".to_owned()], vec!["r11".to_owned()])
    );
    // However far apart, nothing is lost.
    let turned: Vec<Written> = all.iter().rev().cloned().collect();
    assert_eq!(reduced(&declared, &state(&turned)).unwrap().in_sync, 52);
    // What others repeat stays.
    let (kept, large) = (declared.replace("aws_instance", "kept"), "x".repeat(3 * WINDOW));
    assert_eq!(left(&kept, &kept).unwrap().same, 0);
    let large = declared.replacen("\"i-1-0\"", &format!("{large:?}"), 1);
    assert_eq!(left(&large, &large).unwrap().same, 52);
    assert_eq!(left(&declared, &large).unwrap().same, 50);
}

#[test]
fn other_documents_are_left_to_whoever_reads_them() {
    let good = state(&[(1, vec![1], false)]);
    assert!(left(&good, &good).is_some());
    let nested = good
        .replace("\"resources\": [{", "\"x\": {\"resources\": [{")
        .replace("\n  ],", "\n  ]}, \"resources\": [],");
    let shown = r#"{"format_version": "1.0", "values": {"root_module": {"resources": []}}}"#;
    for other in [
        String::new(),
        shown.to_owned(),
        nested.clone(),
        good.replace("4,", "3,"),
        good.replace("\"version\"", "\"format_version\": \"1.0\", \"version\""),
        good.replace("\"check_results\"", "\"version\""),
        format!("{good} x"),
    ] {
        assert!(left(&good, &other).is_none() && left(&other, &good).is_none(), "{other}");
    }
    assert!(compared(&nested, &nested).is_some(), "and it is a state");
    let broken = [good.as_bytes(), b"\xff"].concat();
    assert!(unlike(good.as_bytes(), broken.as_slice(), &|_| false).is_none(), "no text");
}
