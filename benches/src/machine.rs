//! What the measurements were made on and with.

use std::fs;

use tokio::process::Command;

use crate::setting::Setting;

/// Facts and what they are.
pub(crate) type Facts = Vec<(&'static str, String)>;

/// The load averages of a moment.
pub(crate) type Load = String;

/// The load averages now.
pub(crate) fn load() -> Load {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').take(3).collect::<Vec<_>>().join(" / ")
}

/// The memory that programs can still take, in bytes.
pub(crate) fn available() -> f64 {
    let text = field("/proc/meminfo", "MemAvailable");
    text.split(' ').next().and_then(|kib| kib.parse::<f64>().ok()).map_or(0.0, |kib| kib * 1024.0)
}

fn field(file: &str, name: &str) -> String {
    let text = fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
    line.split_once(':').map_or("", |(_, value)| value).trim().to_owned()
}

async fn said(program: &str, arguments: &[&str]) -> String {
    let Ok(output) = Command::new(program).args(arguments).output().await else {
        return "missing".to_owned();
    };
    let text = if output.stdout.is_empty() { output.stderr } else { output.stdout };
    String::from_utf8_lossy(&text).lines().next().unwrap_or_default().trim().to_owned()
}

/// Processors, memory, kernel, file system and the versions of everything measured.
pub(crate) async fn facts(setting: &Setting) -> Facts {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let memory: f64 = field("/proc/meminfo", "MemTotal")
        .split(' ')
        .next()
        .and_then(|kib| kib.parse().ok())
        .unwrap_or(f64::NAN);
    let python = setting.venv.join("bin/python").to_string_lossy().into_owned();
    let versions = "from importlib.metadata import version as v; print(', '.join(f'{n} {v(n)}' \
                    for n in ('alerta-server', 'gunicorn', 'ansible-core', 'asyncssh')))";
    let dir = setting.dir.to_string_lossy().into_owned();
    let postgres = store_version().await;
    vec![
        ("processor", format!("{} × {cores}", field("/proc/cpuinfo", "model name"))),
        ("memory", format!("{:.1} GiB", memory / 1024.0 / 1024.0)),
        ("kernel", said("uname", &["-sr"]).await),
        ("file system of the databases", file_system(&dir).await),
        ("Countersign", format!("{}, revision {}", env!("CARGO_PKG_VERSION"), setting.revision)),
        ("compiler", said("rustc", &["--version"]).await),
        ("PostgreSQL", postgres),
        ("OpenSSH", said("ssh", &["-V"]).await),
        ("Alertmanager", said("prometheus-alertmanager", &["--version"]).await),
        ("Terraform", said("terraform", &["version"]).await),
        ("Python", said(&python, &["--version"]).await),
        ("from PyPI", said(&python, &["-c", versions]).await),
    ]
}

async fn file_system(dir: &str) -> String {
    let Ok(output) = Command::new("df").args(["--output=fstype", dir]).output().await else {
        return "unknown".to_owned();
    };
    String::from_utf8_lossy(&output.stdout).lines().nth(1).unwrap_or("unknown").trim().to_owned()
}

async fn store_version() -> String {
    let found = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = found.map(|entry| entry.path().join("bin/postgres")).max();
    match newest {
        Some(program) => said(&program.to_string_lossy(), &["--version"]).await,
        None => said("postgres", &["--version"]).await,
    }
}
