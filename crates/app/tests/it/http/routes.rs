//! Every route there is: described, refused without a caller, refused without a role.

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_starts() {
    let site = super::harness::Site::start().await;
    let caller = site.caller("nobody", &[]).await;
    let reply = caller.get("/account").await;
    println!("{reply:?}");
}
