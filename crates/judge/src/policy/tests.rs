use model::actor::Role;
use model::level::{EnvironmentClass, Tier};

use super::*;
use crate::autonomy::Autonomy;
use crate::evaluate::tests::question;
use crate::exact::Exact;
use crate::risk;

fn input(roles: &[Role], action: &str, environment: &str, targets: u32) -> Input {
    let question = question(roles, action, environment, targets);
    let assessment = risk::assess(&question.risk);
    crate::evaluate::input(&question, &assessment, &Autonomy::none())
}

fn write() -> Input {
    input(&[Role::Operator], "host.service.start", "dev", 1)
}

fn read() -> Input {
    input(&[Role::Viewer], "host.read", "dev", 1)
}

/// A bundle of one file whose package is the one that decides.
fn files(body: &str) -> Files {
    let source = format!("package {PACKAGE}\n\nimport rego.v1\n\n{body}\n");
    Files::from([("p.rego".to_owned(), source)])
}

fn compiled(body: &str) -> Bundle {
    Bundle::compile(files(body)).unwrap()
}

/// Problems of a bundle of one file, as `line:column message`; the body starts on line 5.
fn refused(body: &str) -> Vec<String> {
    Bundle::compile(files(body))
        .expect_err(body)
        .into_iter()
        .map(|problem| format!("{}:{} {}", problem.line, problem.column, problem.message))
        .collect()
}

#[test]
fn the_shipped_bundle_passes_its_own_tests() {
    let results = test(shipped());
    assert!(results.len() >= 15, "{}", results.len());
    for result in results {
        assert_eq!(result.outcome, TestOutcome::Passed, "{}", result.name);
    }
}

#[test]
fn a_test_that_fails_and_one_that_breaks_are_told_apart() {
    let mut files = files("decision := \"deny\"");
    let tests = "package t\n\nimport rego.v1\n\nimport data.policy.assistant.v1\n\n\
                 test_good if v1.decision == \"deny\" with input as {}\n\n\
                 test_bad if v1.decision == \"allow\"\n\n\
                 test_broken if to_number(\"x\") == 1\n\n\
                 test_conflict := x if some x in [1, 2]\n\nnot_a_test := 1\n";
    files.insert("t_test.rego".to_owned(), tests.to_owned());
    let results = test(&Bundle::compile(files).unwrap());
    let brief: Vec<_> = results
        .iter()
        .map(|result| {
            let outcome = match &result.outcome {
                TestOutcome::Passed => "passed",
                TestOutcome::Failed => "failed",
                TestOutcome::Broken { .. } => "broken",
            };
            (result.name.as_str(), result.line, outcome)
        })
        .collect();
    assert_eq!(
        brief,
        [
            ("t.test_good", 7, "passed"),
            ("t.test_bad", 9, "failed"),
            ("t.test_broken", 11, "broken"),
            ("t.test_conflict", 13, "broken"),
        ]
    );
}

#[test]
fn a_bundle_without_a_decision_is_refused() {
    assert!(Bundle::compile(Files::new()).is_err());
    assert_eq!(
        refused("other := 1"),
        [format!("0:0 no file declares the rule `decision` in package {PACKAGE}")]
    );
}

#[test]
fn what_the_engine_does_not_support_is_refused_with_line_and_column() {
    let cases = [
        ("decision := $\"deny {input.x}\"", "5:13 string interpolation"),
        ("decision := $`deny`", "5:13 string interpolation"),
        ("decision := \"deny\" if walk(input, [p, v])", "5:23 `walk`"),
        ("decision := \"deny\" if glob.match(\"*\", [], \"x\")", "5:23 `glob.match`"),
        ("decision := \"deny\" if crypto.sha256(\"x\") == \"y\"", "5:23 `crypto.sha256`"),
        ("decision := \"deny\" if io.jwt.decode(\"x\")", "5:23 `io.jwt.decode`"),
        ("decision := \"deny\" if http.send({\"url\": \"x\"})", "5:23 `http.send`"),
        ("decision := \"deny\" if graphql.is_valid(\"q\", \"s\")", "5:23 `graphql.is_valid`"),
        ("decision := \"deny\" if array.flatten([[1]])", "5:23 `array.flatten`"),
        ("decision := \"deny\" if net.cidr_intersects(\"a\", \"b\")", "5:23 `net.cidr_intersects`"),
        ("decision := \"deny\" if net.cidr_merge([\"a\"])", "5:23 `net.cidr_merge`"),
        ("decision := \"deny\" if net.lookup_ip_addr(\"a\")", "5:23 `net.lookup_ip_addr`"),
        ("decision := \"deny\" if yaml.unmarshal(\"a\")", "5:23 `yaml.unmarshal`"),
        ("decision := \"deny\" if no_such(\"a\")", "5:23 `no_such`"),
        ("decision := \"deny\" if time.now_ns() > 1", "5:23 `time.now_ns`"),
        ("decision := \"deny\" if rand.intn(\"a\", 2) == 1", "5:23 `rand.intn`"),
        ("decision := \"deny\" if uuid.rfc4122(\"a\") == 1", "5:23 `uuid.rfc4122`"),
        ("decision := \"deny\" if opa.runtime().env", "5:23 `opa.runtime`"),
        ("decision := \"deny\" if count(numbers.range(1, 9)) > 1", "5:29 `numbers.range`"),
        ("decision := \"deny\" if bits.lsh(1, 9) > 1", "5:23 `bits.lsh`"),
        ("decision := \"deny\" if print(input)", "5:23 `print`"),
        ("decision := \"deny\" if a with input as {}\n\na := 1", "5:25 `with`"),
        ("decision := \"deny\" if input.not", "5:29 `.not`"),
        ("decision := \"deny\" if data.elsewhere.x", "5:23 nothing in the bundle"),
        ("decision := \"deny\" if data.policy.assistant.v1.nothing", "5:23 nothing in the bundle"),
        ("decision := \"deny\" if {\n\tx := input.a\n\t(x + 1) > 2\n}", "7:2 `(`"),
        ("decision := \"deny\" if {\n\tinput[\"a\"]\n\t(1 + 1) > 2\n}", "7:2 `(`"),
        ("decision := \"deny\" if count (input.a) > 1", "5:29 `(`"),
        ("decision := \"deny\" if time[\"now_ns\"]() > 1", "5:37 a call through brackets"),
        ("decision := \"deny\" if walk(1)\n\nwalk(x) if x", "5:23 `walk`"),
        ("decision := \"ä\" if walk(input, x)", "5:20 `walk`"),
        ("decision := \"deny\" if {", "6:1"),
        ("decision = ", "6:1"),
    ];
    for (body, expected) in cases {
        let problems = refused(body);
        assert!(
            problems.iter().any(|problem| problem.starts_with(expected)),
            "{body}: {problems:?}"
        );
    }
}

#[test]
fn what_stands_in_strings_and_comments_is_not_refused() {
    compiled(
        "# walk(input) and http.send({}) and $\"x\"\n\
         decision := \"deny\" if input.a == \"http.send(x) \\\" walk(y)\"\n\
         decision := \"deny\" if input.b == `glob.match(\"a\")\n(x)`",
    );
}

#[test]
fn parentheses_where_they_belong_are_not_refused() {
    compiled(
        "decision := \"allow\" if {\n\tnot (input.a == 1)\n\tinput.b in (({1, 2}))\n\t\
         x := [\n\t\t(1 + 2),\n\t\t(3),\n\t]\n\tcount(x) > 1\n\thelps(x)\n}\n\n\
         helps(x) if count(x) > 0",
    );
}

#[test]
fn imports_that_lead_nowhere_are_refused() {
    let with = |import: &str, other: &str| {
        let source = format!(
            "package {PACKAGE}\n\nimport rego.v1\nimport {import}\n\ndecision := \"deny\"\n"
        );
        Bundle::compile(Files::from([
            ("p.rego".to_owned(), source),
            ("q.rego".to_owned(), format!("package {other}\n\nlimit := 3\n")),
        ]))
    };
    for import in ["data.shared", "data.shared.limits", "data.shared.limits.limit", "input.actor"] {
        assert!(with(import, "shared.limits").is_ok(), "{import}");
    }
    for import in ["data.share", "data.shared.limits.other", "data.shared.x", "future.keywords.not"]
    {
        let problems = with(import, "shared.limits").expect_err(import);
        let place = (problems[0].file.as_str(), problems[0].line, problems[0].column);
        assert_eq!(place, ("p.rego", 4, 8), "{import}");
    }
    assert!(with("data.shared", "countersign.entry").is_err());
}

#[test]
fn an_alias_does_not_smuggle_in_what_is_refused() {
    let source = format!(
        "package {PACKAGE}\n\nimport rego.v1\nimport data.clock as time\n\n\
         decision := \"deny\" if time.now_ns() > 1\n"
    );
    let problems = Bundle::compile(Files::from([
        ("p.rego".to_owned(), source),
        ("q.rego".to_owned(), "package clock\n\nnoon := 12\n".to_owned()),
    ]))
    .expect_err("the clock is refused");
    assert_eq!((problems[0].line, problems[0].column), (6, 23), "{problems:?}");
}

#[test]
fn paths_outside_the_bundle_are_refused() {
    for path in
        ["/etc/p.rego", "../p.rego", "a/../p.rego", "p.txt", "a//p.rego", ".rego/x", "a\\p.rego"]
    {
        let source = format!("package {PACKAGE}\n\ndecision := \"deny\"\n");
        assert!(Bundle::compile(Files::from([(path.to_owned(), source)])).is_err(), "{path}");
    }
}

#[test]
fn the_hash_is_the_one_of_paths_and_contents() {
    let bundle = compiled("decision := \"deny\"");
    let expected = Digest::of_canonical(&serde_json::json!(bundle.files())).unwrap();
    assert_eq!(bundle.hash(), expected);
    assert_ne!(compiled("decision := \"allow\"").hash(), expected);
    let mut renamed = files("decision := \"deny\"");
    let source = renamed.remove("p.rego").unwrap();
    renamed.insert("q.rego".to_owned(), source);
    assert_ne!(Bundle::compile(renamed).unwrap().hash(), expected);
}

#[test]
fn functions_and_rules_of_other_files_are_found() {
    let main = format!(
        "package {PACKAGE}\n\nimport rego.v1\n\nimport data.shared.limits as shared\n\n\
         default decision := \"deny\"\n\n\
         decision := \"allow\" if {{\n\tshared.fits(input.risk.targets)\n\tlocal(input.risk.targets)\n}}\n\n\
         local(n) if n < data.shared.limits.most\n"
    );
    let other = "package shared.limits\n\nimport rego.v1\n\nmost := 3\n\nfits(n) if n < most\n";
    let bundle = Bundle::compile(Files::from([
        ("main.rego".to_owned(), main),
        ("shared/limits.rego".to_owned(), other.to_owned()),
    ]))
    .unwrap();
    let decide = |targets| {
        bundle.evaluate(&input(&[Role::Operator], "host.service.start", "dev", targets)).decision
    };
    assert_eq!(decide(2), Verdict::Allow);
    assert_eq!(decide(3), Verdict::Deny);
}

#[test]
fn behaviour_12_whatever_goes_wrong_denies_writes_and_lets_only_readers_read() {
    let cases = [
        // Undefined.
        ("decision := \"allow\" if input.nothing", "policy_undefined"),
        ("decision := \"allow\" if to_number(\"x\") == 1", "policy_undefined"),
        ("decision := \"allow\"\n\ndecision := \"deny\"", "policy_undefined"),
        // Errors: two values of one rule, a function that fails and would have led to a denial.
        ("decision := x if some x in [\"deny\", \"allow\"]", "policy_failed"),
        (
            "default decision := \"allow\"\n\ndecision := \"deny\"\n\ndecision := \"allow\" if input.risk",
            "policy_undefined",
        ),
        (
            "default decision := \"allow\"\n\ndecision := \"deny\" if to_number(input.action.name) > 1",
            "policy_failed",
        ),
        // Malformed.
        ("decision := \"yes\"", "policy_malformed"),
        ("decision := true", "policy_malformed"),
        ("decision := [\"allow\"]", "policy_malformed"),
        ("decision := \"allow\"\n\nconstraints := {\"max_target\": 3}", "policy_malformed"),
        ("decision := \"allow\"\n\nconstraints := {\"max_targets\": -1}", "policy_malformed"),
        ("decision := \"allow\"\n\nconstraints := 5", "policy_malformed"),
        (
            "decision := \"allow\"\n\nconstraints := {\"maintenance_window\": \
             {\"start\": \"10:00\", \"end\": \"11:00\", \"timezone\": \"Middle/Earth\"}}",
            "policy_malformed",
        ),
        ("decision := \"allow\"\n\nttl := \"long\"", "policy_malformed"),
        ("decision := \"allow\"\n\nreasons := 3", "policy_malformed"),
        ("decision := \"allow\"\n\nautonomy := {\"min\": 3}", "policy_malformed"),
        ("decision := \"require_approval\"\n\napproval := {\"roles\": []}", "policy_malformed"),
        (
            "decision := \"require_approval\"\n\napproval := {\"roles\": [\"king\"]}",
            "policy_malformed",
        ),
        ("decision := \"require_approval\"\n\napproval := {\"min_votes\": 0}", "policy_malformed"),
        ("decision := \"require_approval\"\n\napproval := {\"ttl_s\": 0}", "policy_malformed"),
        // Too much work.
        (
            "ten := [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]\n\ndecision := \"allow\" if count([a | some a in ten; \
             some b in ten; some c in ten; some d in ten; some e in ten; some f in ten]) > 1",
            "policy_too_long",
        ),
    ];
    for (body, code) in cases {
        let bundle = compiled(body);
        let answer = bundle.evaluate(&write());
        assert_eq!(answer.decision, Verdict::Deny, "{body}");
        assert_eq!(answer.failure.as_ref().map(Failure::code), Some(code), "{body}: {answer:?}");
        assert_eq!(answer.reasons[0].code, code);
        assert_eq!(answer.bundle, Some(bundle.hash()));
        assert_eq!(bundle.evaluate(&read()).decision, Verdict::Allow, "{body}");
        let stranger = input(&[Role::Auditor], "host.read", "dev", 1);
        assert_eq!(bundle.evaluate(&stranger).decision, Verdict::Deny, "{body}");
    }
}

#[test]
fn a_machine_that_failed_answers_the_next_question_rightly() {
    let bundle = compiled(
        "decision := \"allow\" if input.risk.targets == 1\n\n\
         decision := \"deny\" if input.risk.targets > 1\n\n\
         decision := \"allow\" if input.risk.targets == 3",
    );
    let decide =
        |targets| bundle.evaluate(&input(&[Role::Operator], "host.service.start", "dev", targets));
    for _ in 0..3 {
        assert_eq!(decide(1).failure, None);
        assert_eq!(decide(3).failure.unwrap().code(), "policy_undefined");
        assert_eq!((decide(2).decision, decide(2).failure), (Verdict::Deny, None));
    }
}

#[test]
fn an_answer_without_requirements_gets_the_usual_ones() {
    let bundle = compiled("decision := \"require_approval\"\n\nreasons := [\"because\"]");
    let answer = bundle.evaluate(&write());
    let approval = answer.approval.unwrap();
    assert_eq!(approval.roles, [Role::Approver, Role::Admin]);
    assert_eq!((approval.tier, approval.min_votes, approval.ttl_s), (Tier::Low, 1, 86_400));
    assert_eq!(
        (answer.reasons[0].code.as_str(), answer.reasons[0].message.as_str()),
        ("policy", "because")
    );
}

#[test]
fn a_policy_cannot_lower_the_tier_of_an_approval() {
    let bundle = compiled("decision := \"require_approval\"\n\napproval := {\"tier\": \"read\"}");
    let input = input(&[Role::Operator], "kubectl.drain", "prod", 1);
    assert_eq!(bundle.evaluate(&input).approval.unwrap().tier, Tier::Critical);
}

/// Decisions are made by the virtual machine, tests run by the interpreter: they must agree.
#[test]
fn machine_and_interpreter_agree_on_every_case_of_the_shipped_bundle() {
    let bundle = shipped();
    let mut cases = 0;
    for roles in [&[][..], &[Role::Viewer], &[Role::Operator], &[Role::Approver], Role::ALL] {
        for action in
            ["host.read", "host.service.start", "host.shell", "kubectl.drain", "host.reboot", "?"]
        {
            for environment in ["dev", "staging", "prod", "moon"] {
                for targets in [1, 10, 11, 51] {
                    let mut input = input(roles, action, environment, targets);
                    input.autonomy.earned = cases % 2 == 0;
                    input.risk.irreversible = cases % 3 == 0;
                    let [machine, interpreter] = machine::both(bundle.files(), &input);
                    assert_eq!(machine, interpreter, "{input:?}");
                    assert_eq!(bundle.evaluate(&input).failure, None, "{input:?}");
                    cases += 1;
                }
            }
        }
    }
    assert_eq!(cases, 480);
}

#[test]
fn words_of_source_systems_become_classes_and_strange_ones_stand_out() {
    let tenant = model::id::TenantId::generate();
    let of = |words: &[&str]| {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        ContextFacts::of(tenant, &words).environment
    };
    assert_eq!(of(&["stage", "production"]), "prod");
    assert_eq!(of(&["local", "qa"]), "test");
    assert_eq!(of(&["prod", "moon"]), "moon");
    assert_eq!(of(&[]), "unknown");
    assert_eq!(EnvironmentClass::from_alias("unknown"), None);
}

#[test]
fn constraints_merge_to_the_stricter_of_both() {
    let request = Constraints {
        max_targets: Some(5),
        allowed_envs: Some([EnvironmentClass::Dev, EnvironmentClass::Test].into()),
        ..Constraints::default()
    };
    let policy = Constraints {
        max_targets: Some(9),
        allowed_envs: Some([EnvironmentClass::Test, EnvironmentClass::Prod].into()),
        break_glass_required: Some(true),
        ..Constraints::default()
    };
    let merged = request.and(&policy);
    assert_eq!(merged.max_targets, Some(5));
    assert_eq!(merged.allowed_envs, Some([EnvironmentClass::Test].into()));
    assert_eq!(merged.break_glass_required, Some(true));
}

#[test]
fn the_shipped_bundle_stays_far_below_the_instruction_limit() {
    let input = input(Role::ALL, "host.reboot", "prod", 51);
    assert!(machine::within(shipped().files(), &input, 2_000));
    assert!(!machine::within(shipped().files(), &input, 50));
}

/// How many evaluations a second; printed, not judged.
#[test]
fn evaluations_a_second_are_printed() {
    let bundle = shipped();
    let input = input(&[Role::Operator], "host.service.restart", "prod", 3);
    assert_eq!(bundle.evaluate(&input).decision, Verdict::RequireApproval);
    let rounds = 2_000_u32;
    let start = std::time::Instant::now();
    for _ in 0..rounds {
        assert_eq!(bundle.evaluate(&input).failure, None);
    }
    let each = start.elapsed() / rounds;
    println!("policy evaluation: {each:?} each, {} a second", Exact(1.0 / each.as_secs_f64()));
}
