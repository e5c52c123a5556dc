use super::*;

#[test]
fn objects_of_all_documents_and_lists_are_declared() {
    let text = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\nspec: {}\n---\n\
        apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Service, metadata: {name: web}}\n---\n# empty\n";
    let read = read(text).unwrap();
    let told: Vec<_> =
        read.iter().map(|object| (object.name(), object.id().unwrap().into_owned())).collect();
    let expected =
        [("Deployment/shop/web", "apps/Deployment/shop/web"), ("Service/web", "/Service/web")]
            .map(|(name, id)| (name.to_owned(), id.to_owned()));
    assert_eq!(told, expected);
}

#[test]
fn what_is_no_object_or_stands_twice_is_said_with_its_place() {
    let object = "{apiVersion: v1, kind: Service, metadata: {name: web}}";
    for (text, says) in [
        (format!("{object}\n---\nkind: Service\n"), "document 2"),
        (format!("{object}\n---\n{object}\n"), "Service/web is declared a second time"),
        ("a: &x 1".to_owned(), "document 1"),
        ("a: *x".to_owned(), "line 1"),
    ] {
        let said = read(&text).unwrap_err().to_string();
        assert!(said.contains(says), "{said:?} does not say {says:?}");
    }
}

#[test]
fn a_secret_said_in_clear_is_the_one_that_is_kept() {
    let clear = "{apiVersion: v1, kind: Secret, metadata: {name: db}, data: {a: eA==, b: eQ==}, stringData: {b: z}}";
    let State::Read(value) = &read(clear).unwrap()[0].state else { panic!("read") };
    let data = serde_json::json!({"a": "eA==", "b": "eg=="});
    assert_eq!(value.get("data").unwrap().to_json(), data);
    assert_eq!(value.get("stringData"), None);
}
