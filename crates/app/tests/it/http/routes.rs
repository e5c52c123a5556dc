//! Every route there is: described, refused without a caller, refused without a role.

#[test]
fn dump() {
    let doc = serde_json::to_value(server::router::openapi()).unwrap();
    for (path, ops) in doc["paths"].as_object().unwrap() {
        for (method, op) in ops.as_object().unwrap() {
            println!(
                "OP {} {path} {}",
                method.to_uppercase(),
                op.get("requestBody").map_or("", |_| "BODY")
            );
        }
    }
    std::fs::write("/tmp/cs/openapi.json", serde_json::to_string_pretty(&doc).unwrap()).unwrap();
    let r: axum::Router = axum::Router::new()
        .route("/a/{id}", axum::routing::get(|| async {}))
        .route("/b", axum::routing::post(|| async {}))
        .fallback(|| async {})
        .layer(axum::middleware::from_fn(
            |r: axum::extract::Request, n: axum::middleware::Next| async { n.run(r).await },
        ));
    println!("{r:?}");
}
