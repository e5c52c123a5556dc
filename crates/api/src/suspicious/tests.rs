use proptest::prelude::*;
use serde_json::json;

use super::{Trick, escaped, oddities, suspicious};

fn tricks(text: &str) -> Vec<Trick> {
    oddities(text).into_iter().map(|odd| odd.trick).collect()
}

#[test]
fn p8_what_hides_or_deceives_is_found_and_escaped() {
    for (text, trick, shown) in [
        ("rm \u{202e}gpj.exe", Trick::Direction, "rm \\u{202e}gpj.exe"),
        ("if a\u{2066}b\u{2069}", Trick::Direction, "if a\\u{2066}b\\u{2069}"),
        ("web\u{200b}-1", Trick::Invisible, "web\\u{200b}-1"),
        ("pass\u{ad}word", Trick::Invisible, "pass\\u{ad}word"),
        ("a\u{e0041}b", Trick::Invisible, "a\\u{e0041}b"),
        ("\u{feff}reboot", Trick::Invisible, "\\u{feff}reboot"),
        ("a\u{3164}=1", Trick::Invisible, "a\\u{3164}=1"),
        ("x\u{fe0f}", Trick::Invisible, "x\\u{fe0f}"),
        ("ok\rno", Trick::Control, "ok\\u{d}no"),
        ("\u{1b}]0;title\u{7}", Trick::Control, "\\u{1b}]0;title\\u{7}"),
        ("# one\u{2028}reboot", Trick::Control, "# one\\u{2028}reboot"),
        ("rm -rf\u{a0}/tmp", Trick::Space, "rm -rf\\u{a0}/tmp"),
        ("rm\u{3000}x", Trick::Space, "rm\\u{3000}x"),
        ("\u{e000}", Trick::Unassigned, "\\u{e000}"),
        // The second letter is Cyrillic.
        ("w\u{435}b-1", Trick::MixedScripts, "w\\u{435}b-1"),
        ("db.ex\u{430}mple.com", Trick::MixedScripts, "db.ex\\u{430}mple.com"),
        ("p\u{3b1}ypal", Trick::MixedScripts, "p\\u{3b1}ypal"),
        // All of the part is Cyrillic, and looks like `cop`.
        ("web-\u{441}\u{43e}\u{440}", Trick::Lookalike, "web-\\u{441}\\u{43e}\\u{440}"),
        ("\u{ff52}\u{ff4d} -r", Trick::Lookalike, "\\u{ff52}\\u{ff4d} -r"),
        ("kill \u{430}", Trick::Lookalike, "kill \\u{430}"),
        ("e\u{301}\u{301}\u{301}\u{301}", Trick::Marks, "e\u{301}\u{301}\u{301}\\u{301}"),
    ] {
        let found = tricks(text);
        assert!(!found.is_empty() && found.iter().all(|one| *one == trick), "{shown}: {found:?}");
        assert_eq!(escaped(text), shown);
    }
}

#[test]
fn p8_one_letter_words_are_excused_by_the_prose_around_them_and_by_nothing_else() {
    let odd = |text: &str| !oddities(text).is_empty();
    assert!(!odd("Перезапустить а потом проверить"));
    assert!(odd("restart а then check"));
    // Greek around it says nothing of a Cyrillic letter.
    assert!(odd("λόγος а δρόμος"));
    // As long as a runbook may be, of nothing else: each word is looked at, and none for each.
    assert_eq!(oddities(&"а ".repeat(87_000)).len(), 87_000);
}

#[test]
fn p8_names_and_prose_of_any_language_are_what_they_seem() {
    for text in [
        "systemctl restart 'nginx' && echo \"ok\"\n\techo done",
        "Straße grün, naïve café, Ångström, žluťoučký kůň",
        "сервер web-1 не отвечает, а диск полон",
        "η βάση δεδομένων δεν απαντά",
        "サーバーがダウンしています web-1",
        "web服务器",
        "서버 다운",
        "السيرفر لا يستجيب",
        "השרת אינו מגיב",
        "เซิร์ฟเวอร์ไม่ตอบสนอง",
        "⚠️ disk full 🔥 👩‍💻",
        "5 µs → 7 µs, 20 °C, 1/2 ½",
    ] {
        assert_eq!(oddities(text), [], "{text}");
        assert_eq!(escaped(text), text);
    }
}

#[test]
fn p8_a_document_is_told_of_by_path_names_included() {
    let document = json!({
        "summary": "restart nginx",
        "steps": [
            {"commands": {"w\u{435}b-1": "echo fine", "web-2": "echo \u{202e}enif"}},
            {"commands": {"w\u{435}b-1": "again", "a/b": format!("{}\u{200b}x", "y".repeat(500))}},
        ],
    });
    let found = suspicious(&[("", document)]);
    let told: Vec<_> = found
        .iter()
        .map(|one| (one.path.as_str(), one.code_points.join(" "), one.tricks.clone()))
        .collect();
    assert_eq!(
        told,
        [
            ("/steps/0/commands/web-2", "U+202E".to_owned(), vec![Trick::Direction]),
            ("/steps/0/commands/w\\u{435}b-1", "U+0435".to_owned(), vec![Trick::MixedScripts]),
            ("/steps/1/commands/a~1b", "U+200B".to_owned(), vec![Trick::Invisible]),
        ]
    );
    assert_eq!(found[0].shown, "echo \\u{202e}enif");
    assert_eq!(found[2].shown, format!("…{}\\u{{200b}}x", "y".repeat(40)));
    let many: Vec<String> = (0..1000).map(|at| format!("{at}\u{200b}")).collect();
    assert_eq!(suspicious(&[("", json!(many))]).len(), 100);
}

/// What may be planted in a text, each found whatever is around it.
const PLANTED: &[char] = &[
    '\u{202e}',
    '\u{2067}',
    '\u{200b}',
    '\u{feff}',
    '\u{ad}',
    '\u{2060}',
    '\u{1b}',
    '\u{85}',
    '\u{2029}',
    '\u{a0}',
    '\u{2003}',
    '\u{e0061}',
    '\u{e000}',
];

proptest! {
    #[test]
    fn p8_whatever_is_planted_is_found_and_never_shown(
        before in ".{0,20}", after in ".{0,20}", planted in prop::sample::select(PLANTED),
    ) {
        let text = format!("{before}{planted}{after}");
        let found = oddities(&text);
        prop_assert!(found.iter().any(|odd| odd.at == before.len() && odd.character == planted));
        prop_assert!(!escaped(&text).contains(planted));
    }

    #[test]
    fn p8_an_escaped_text_hides_nothing_more_and_keeps_the_rest(text in ".{0,60}") {
        let found = oddities(&text);
        for odd in &found {
            prop_assert!(text[odd.at..].starts_with(odd.character));
        }
        let mut kept: Vec<char> = text.chars().collect();
        for odd in found.iter().rev() {
            kept.remove(text[..odd.at].chars().count());
        }
        let shown = escaped(&text);
        let mut rest = shown.chars();
        for one in kept {
            prop_assert!(rest.any(|shown| shown == one));
        }
        prop_assert!(!shown.contains(|one: char| one.is_control() && !"\n\t".contains(one)));
    }

    #[test]
    fn p8_plain_text_stays_as_it_is(text in "[ -~\\n\\t]{0,200}") {
        prop_assert_eq!(escaped(&text), text);
    }
}
