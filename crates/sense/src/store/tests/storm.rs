//! Many notices at once.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn i1_twenty_concurrent_and_five_later_posts_of_a_group_are_one_finding_and_one_job() {
    let test = database().await;
    with_rule(&test).await;
    let sender = sender(&test, test.tenant).await;
    let mut posts = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (db, tenant, sender) = (test.db.clone(), test.tenant, sender.clone());
        posts.spawn(async move { post(&db, tenant, &sender, batch(&[firing(1)])).await });
    }
    let mut reports = posts.join_all().await;
    for _ in 0..5 {
        reports.push(post(&test.db, test.tenant, &sender, batch(&[firing(1)])).await);
    }
    assert_eq!(reports.iter().map(|r| r.new).sum::<u64>(), 1);
    assert_eq!(reports.iter().map(|r| r.repeated).sum::<u64>(), 24);
    assert_eq!(reports.iter().map(|r| r.queued).sum::<u64>(), 1);
    assert_eq!(count(&test, FINDINGS).await, 1);
    assert_eq!(count(&test, ALERTS).await, 1);
    assert_eq!(count(&test, JOBS).await, 1);
    let seen = "SELECT seen_count FROM countersign.findings WHERE tenant_id = $1";
    assert_eq!(count(&test, seen).await, 25);
}

#[tokio::test(flavor = "multi_thread")]
async fn i1_groups_that_share_alerts_in_different_orders_do_not_lock_each_other_out() {
    let test = database().await;
    let sender = sender(&test, test.tenant).await;
    let mut posts = tokio::task::JoinSet::new();
    for turn in 0..16 {
        let mut alerts: Vec<Value> = (0..50).map(firing).collect();
        alerts.rotate_left(turn * 3);
        if turn % 2 == 0 {
            alerts.reverse();
        }
        let (db, tenant, sender) = (test.db.clone(), test.tenant, sender.clone());
        posts.spawn(async move { post(&db, tenant, &sender, batch(&alerts)).await });
    }
    let reports = posts.join_all().await;
    assert_eq!(reports.iter().map(|r| r.new).sum::<u64>(), 50);
    assert_eq!(reports.iter().map(|r| r.repeated).sum::<u64>(), 15 * 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn i2_ten_thousand_alerts_in_twenty_batches_lose_none_and_a_second_pass_adds_none() {
    let test = database().await;
    with_rule(&test).await;
    let sender = sender(&test, test.tenant).await;
    for pass in 0..2 {
        let mut posts = tokio::task::JoinSet::new();
        for group in 0..20 {
            let alerts: Vec<Value> = (group * 500..(group + 1) * 500).map(firing).collect();
            let (db, tenant, sender) = (test.db.clone(), test.tenant, sender.clone());
            posts.spawn(async move { post(&db, tenant, &sender, batch(&alerts)).await });
        }
        let reports = posts.join_all().await;
        let new: u64 = reports.iter().map(|r| r.new).sum();
        let repeated: u64 = reports.iter().map(|r| r.repeated).sum();
        assert_eq!((new, repeated), if pass == 0 { (10_000, 0) } else { (0, 10_000) });
    }
    assert_eq!(count(&test, FINDINGS).await, 10_000);
    assert_eq!(count(&test, ALERTS).await, 10_000);
    assert_eq!(count(&test, JOBS).await, 10_000);
}

#[tokio::test]
async fn i4_one_poison_alert_among_five_hundred_is_set_aside_and_the_rest_is_stored() {
    let test = database().await;
    let sender = sender(&test, test.tenant).await;
    let mut alerts: Vec<Value> = (0..500).map(firing).collect();
    alerts[250]["labels"]["note"] = json!("a\0b");
    let report = post(&test.db, test.tenant, &sender, batch(&alerts)).await;
    assert_eq!((report.new, report.quarantined), (499, 1));
    assert_eq!(count(&test, FINDINGS).await, 499);
    let mut tx = test.db.tenant(test.tenant).await.unwrap();
    let set_aside = quarantine::list(&mut tx, &PageRequest::default()).await.unwrap().items;
    let [poison] = set_aside.as_slice() else { panic!("one") };
    assert_eq!((poison.position, poison.path.as_str()), (250, "/alerts/250/labels/note"));
    assert_eq!(serde_json::from_str::<Value>(&poison.raw).unwrap(), alerts[250]);
    assert!(poison.reason.contains("U+0000"));
}

#[tokio::test]
async fn nothing_of_a_batch_is_kept_when_it_is_not_committed() {
    let test = database().await;
    with_rule(&test).await;
    let sender = sender(&test, test.tenant).await;
    let mut tx = test.db.tenant(test.tenant).await.unwrap();
    let deliveries = [delivery(batch(&[firing(1), json!(1)]))];
    let [report] = ingest(&mut tx, &sender, &deliveries).await.unwrap().try_into().unwrap();
    assert_eq!((report.new, report.queued, report.quarantined), (1, 1, 1));
    drop(tx);
    for query in [FINDINGS, ALERTS, JOBS] {
        assert_eq!(count(&test, query).await, 0);
    }
}
