use std::collections::BTreeSet;

use serde_json::json;

use super::*;
use crate::page::PageError;
use crate::testing::{TestDb, database};

const COLUMNS: &[Column] = &[
    Column::new("name", Holds::Text).filter().sort().search(),
    Column::new("owner_team", Holds::Text).filter().search(),
    Column::new("environments", Holds::Texts).filter(),
    Column::new("created_at", Holds::Time).filled(Filled::ByUs).filter().sort(),
    Column::new("updated_at", Holds::Time).filled(Filled::ByUs).filter().sort(),
];
const SERVICE: Kind =
    Kind { word: "service", table: "countersign.services", columns: COLUMNS, natural: &["name"] };

fn fields(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        other => panic!("{other} has no fields"),
    }
}

async fn services(test: &TestDb, names: &[&str]) {
    let mut tx = test.db.tenant(test.tenant).await.unwrap();
    for name in names {
        let service = json!({"name": name, "owner_team": "t", "environments": [name, "all"]});
        insert(&mut tx, &SERVICE, Uuid::now_v7(), fields(service)).await.unwrap();
    }
    tx.commit().await.unwrap();
}

async fn names(test: &TestDb, wanted: &ListRequest) -> Vec<String> {
    let mut tx = test.db.tenant(test.tenant).await.unwrap();
    let page = list(&mut tx, &SERVICE, wanted).await.unwrap();
    page.items.iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect()
}

fn one_of(column: &str, values: &[&str]) -> ListRequest {
    let column = SERVICE.column(column).unwrap();
    let test = Test::OneOf(values.iter().map(|value| (*value).to_owned()).collect());
    narrowed(vec![Filter { column, test }])
}

fn narrowed(filters: Vec<Filter>) -> ListRequest {
    let mut wanted = ListRequest::default();
    wanted.filters = filters;
    wanted
}

#[test]
fn a_field_named_like_a_word_of_rusts_is_a_column_without_its_mark() {
    assert_eq!(Column::new("r#type", Holds::Text).name, "type");
    assert_eq!(Column::new("r", Holds::Text).name, "r");
}

#[tokio::test]
async fn what_is_kept_is_what_was_given_and_only_its_own_fields_are_replaced() {
    let test = database().await;
    let mut tx = test.db.tenant(test.tenant).await.unwrap();
    let id = Uuid::now_v7();
    let given = json!({"name": "a", "owner_team": "t", "environments": ["x"]});
    let made = insert(&mut tx, &SERVICE, id, fields(given)).await.unwrap();
    assert_eq!(get(&mut tx, &SERVICE, id, Lock::None).await.unwrap(), made);
    // `created_at` is not the caller's to fill: it is no column of the record.
    let other =
        json!({"name": "b", "owner_team": "t", "environments": [], "created_at": "2000-01-01"});
    let replaced = update(&mut tx, &SERVICE, id, fields(other)).await.unwrap();
    assert_eq!(replaced["name"], "b");
    assert_eq!(replaced["created_at"], made["created_at"]);
    assert_ne!(replaced["updated_at"], made["updated_at"]);
    delete(&mut tx, &SERVICE, id).await.unwrap();
    for gone in [
        get(&mut tx, &SERVICE, id, Lock::ForChange).await.unwrap_err(),
        delete(&mut tx, &SERVICE, id).await.unwrap_err(),
    ] {
        assert!(matches!(gone, Error::NotFound), "{gone:?}");
    }
}

#[tokio::test]
async fn what_is_known_outside_is_placed_once_and_replaced_afterwards() {
    let test = database().await;
    let service = |name: &str, team: &str| {
        let given = fields(json!({"name": name, "owner_team": team, "environments": []}));
        Placeable::new(&SERVICE, given)
    };
    let mut tx = test.db.tenant(test.tenant).await.unwrap();
    let [a, b] = [service("a", "one"), service("b", "one")];
    assert_eq!(place(&mut tx, &SERVICE, &[&a, &b]).await.unwrap(), 2);
    let [b, c] = [service("b", "two"), service("c", "two")];
    assert_eq!(place(&mut tx, &SERVICE, &[&b, &c]).await.unwrap(), 1);
    tx.commit().await.unwrap();
    assert_eq!(names(&test, &one_of("owner_team", &["two"])).await, ["c", "b"]);
    assert_eq!(names(&test, &one_of("owner_team", &["one"])).await, ["a"]);
}

#[tokio::test]
async fn t2_a_list_of_one_tenant_shows_nothing_of_another() {
    let test = database().await;
    services(&test, &["a", "b"]).await;
    let other = test.another_tenant().await;
    let mut tx = test.db.tenant(other).await.unwrap();
    assert_eq!(
        list(&mut tx, &SERVICE, &ListRequest::default()).await.unwrap().items,
        [] as [Value; 0]
    );
}

#[tokio::test]
async fn a_list_is_narrowed_by_values_by_members_and_by_time() {
    let test = database().await;
    services(&test, &["a", "b", "c"]).await;
    assert_eq!(names(&test, &one_of("name", &["a", "c"])).await, ["c", "a"]);
    assert_eq!(names(&test, &one_of("environments", &["b", "nothing"])).await, ["b"]);
    assert_eq!(names(&test, &one_of("environments", &["all"])).await, ["c", "b", "a"]);
    let column = SERVICE.column("created_at").unwrap();
    for (test_of, expected) in [
        (Test::From("2000-01-01T00:00:00Z".to_owned()), 3),
        (Test::Before("2000-01-01T00:00:00Z".to_owned()), 0),
    ] {
        let filters = vec![Filter { column, test: test_of }];
        let wanted = narrowed(filters);
        assert_eq!(names(&test, &wanted).await.len(), expected);
    }
}

#[tokio::test]
async fn pages_in_every_order_show_each_row_once_though_rows_are_equal_in_it() {
    let test = database().await;
    services(&test, &["a", "b", "c", "d", "e", "f", "g"]).await;
    // All of one transaction: the order by time is an order by id.
    for (column, ascending) in [(Some("created_at"), true), (Some("name"), false), (None, true)] {
        let column = column.and_then(|name| SERVICE.column(name));
        let (mut cursor, mut seen, mut pages) = (None, Vec::new(), 0);
        loop {
            let wanted = ListRequest::sorted(Sort { column, ascending });
            let wanted = wanted.page(Some(3), cursor.as_deref()).unwrap();
            let mut tx = test.db.tenant(test.tenant).await.unwrap();
            let page = list(&mut tx, &SERVICE, &wanted).await.unwrap();
            seen.extend(page.items.iter().map(|item| item["id"].to_string()));
            pages += 1;
            cursor = page.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!((pages, seen.len(), seen.iter().collect::<BTreeSet<_>>().len()), (3, 7, 7));
    }
}

#[test]
fn a_cursor_of_another_order_is_refused() {
    let by_name = Sort { column: SERVICE.column("name"), ascending: true };
    for bad in ["", "x", "e30", "eyJzb3J0IjoiaWQiLCJ2YWx1ZSI6bnVsbCwiaWQiOiIwIn0"] {
        let refused = ListRequest::sorted(by_name).page(None, Some(bad)).unwrap_err();
        assert_eq!(refused, PageError::Cursor, "{bad}");
    }
    for limit in [0, -1, 1001] {
        let refused = ListRequest::default().page(Some(limit), None).unwrap_err();
        assert_eq!(refused, PageError::Limit { given: limit });
    }
}
