use super::*;

fn remediation(means: Means, tool: Tool) -> Remediation {
    Remediation {
        id: RemediationId::fixed(7),
        means,
        source: Source {
            id: RepositoryId::fixed(1),
            name: "shop".to_owned(),
            tool,
            branch: "main".to_owned(),
            resource: ResourceId::fixed(2),
            directory: "/srv/shop".to_owned(),
            path: None,
            stack: None,
        },
        addresses: vec!["aws_instance.web".to_owned(), "aws_instance.db[\"a b\"]".to_owned()],
        reason: "opened by hand".to_owned(),
        prepared: BTreeMap::new(),
    }
}

#[test]
fn what_cannot_be_undone_takes_the_procedure_that_says_so() {
    let mut revert = remediation(Means::AutoRevert, Tool::Terraform);
    assert_eq!(revert.procedure(Stage::Change), "terraform-revert-for-good");
    revert.prepared.insert("WAY_BACK".to_owned(), "1".to_owned());
    assert_eq!(revert.procedure(Stage::Change), "terraform-revert-for-good");
    revert.prepared.insert("WAY_BACK".to_owned(), "0".to_owned());
    assert_eq!(revert.procedure(Stage::Change), "terraform-revert");
}

#[test]
fn an_end_leads_to_the_next_execution_or_says_why_there_is_none() {
    use ExecutionState as E;
    let after = |means, stage, ended| next(means, stage, ended, Some("no plan"));
    let revert = Means::AutoRevert;
    assert_eq!(after(revert, Stage::Prepare, E::Completed), Next::Ask(Stage::Change));
    assert_eq!(after(revert, Stage::Change, E::Completed), Next::Ask(Stage::Check));
    assert_eq!(
        after(Means::CodifyIac, Stage::Change, E::Completed),
        Next::Wait(Progress::Published)
    );
    for ended in [E::Denied, E::Failed, E::RolledBack, E::Expired, E::Cancelled, E::TimedOut] {
        for stage in [Stage::Prepare, Stage::Change, Stage::Check] {
            let Next::Fail(why) = after(revert, stage, ended) else { panic!("{stage} {ended}") };
            assert!(why.contains(ended.word()) && why.ends_with(": no plan"), "{why}");
        }
    }
}

#[test]
fn what_a_host_prints_is_held_to_names_and_lengths() {
    let said = prepared("{\"SHA256\":\"ab\",\"SUMMARY\":\"1 to change\"}\n").unwrap();
    assert_eq!(said.len(), 2);
    assert!(matches!(prepared("no plan"), Err(NotPrepared::Form(_))));
    assert!(matches!(prepared("{\"SHA256\":1}"), Err(NotPrepared::Form(_))));
    assert_eq!(prepared("{\"DIRECTORY\":\"/\"}"), Err(NotPrepared::Name("DIRECTORY".to_owned())));
    let long = format!("{{\"SUMMARY\":\"{}\"}}", "x".repeat(2001));
    assert!(matches!(prepared(&long), Err(NotPrepared::Value(_))));
    assert!(matches!(prepared("{\"SUMMARY\":\"a\\nb\"}"), Err(NotPrepared::Value(_))));
}

#[test]
fn the_request_to_merge_is_one_line_and_names_the_branch() {
    let variables = remediation(Means::CodifyIac, Tool::Kubernetes).variables();
    let request = &variables["REQUEST"];
    assert!(!request.contains('\n'), "{request}");
    let request: serde_json::Value = serde_json::from_str(request).unwrap();
    assert_eq!(request["head"], request["source_branch"]);
    assert_eq!(request["head"], format!("countersign/{}", RemediationId::fixed(7)));
    assert!(request["body"].as_str().unwrap().contains("aws_instance.db[\"a b\"]"));
}
