//! Runs the private server of a data directory until its standard input ends: the process that the
//! crash tests kill.

use std::io::Read as _;

use db::private::{Options, PrivateServer};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let data_dir = std::env::args_os().nth(1).ok_or("usage: supervise <data directory>")?;
    let mut options = Options::new(data_dir);
    options.search_path = std::env::var_os("PATH");
    let server = PrivateServer::start(options).await?;
    #[expect(clippy::print_stdout, reason = "the parent waits for this line")]
    {
        println!("ready {}", server.postmaster().unwrap_or_default());
    }
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
    server.stop().await;
    Ok(())
}
