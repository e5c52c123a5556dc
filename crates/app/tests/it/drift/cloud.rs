//! A cloud of the test's own: a server that speaks AWS's protocols, and Terraform pointed at it.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

/// What a test is given when Terraform and its provider are there.
#[derive(Debug)]
pub(crate) struct Cloud {
    server: Child,
    /// The server's address.
    pub(crate) url: String,
    /// Where configurations lie.
    pub(super) dir: TempDir,
}

/// The provider's program, in one of the places where mirrors are kept.
fn mirror() -> Option<PathBuf> {
    let home = PathBuf::from(std::env::var_os("HOME")?);
    let plugins = home.join(".terraform.d/plugins");
    let places =
        [PathBuf::from("/opt"), "/usr/share/terraform".into(), "/usr/local/share".into(), plugins];
    let found = |root: &Path| {
        let mut open = vec![(root.to_owned(), 0)];
        while let Some((dir, depth)) = open.pop() {
            if dir.ends_with("registry.terraform.io/hashicorp/aws") {
                return dir.ancestors().nth(3).map(Path::to_owned);
            }
            if depth < 5 {
                let entries = std::fs::read_dir(&dir).into_iter().flatten().flatten();
                let inside = entries.map(|entry| entry.path()).filter(|path| path.is_dir());
                open.extend(inside.map(|path| (path, depth + 1)));
            }
        }
        None
    };
    places.iter().find_map(|place| found(place))
}

/// One of our scripts that run Python with something in it.
pub(super) fn script(name: &str) -> PathBuf {
    Path::new(&std::env::var_os("CARGO_MANIFEST_DIR").unwrap()).join("../../scripts").join(name)
}

impl Cloud {
    /// Starts one; nothing outside CI where Terraform or its provider is missing.
    pub(crate) fn start() -> Option<Self> {
        let terraform = Command::new("terraform").arg("version").output();
        let mirror = mirror();
        if terraform.is_err() || mirror.is_none() {
            assert!(std::env::var_os("CI").is_none(), "terraform or its AWS provider is missing");
            println!("not run: terraform or its AWS provider is missing");
            return None;
        }
        let config = format!(
            "provider_installation {{\n  filesystem_mirror {{\n    path = {:?}\n  }}\n}}\n",
            mirror.unwrap()
        );
        let cloud = Self::serve(&["-m", "moto.server"]);
        std::fs::write(cloud.dir.path().join("terraform.rc"), config).unwrap();
        Some(cloud)
    }

    /// Starts this Python, a server that says where it runs.
    pub(super) fn serve(program: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut server = Command::new(script("moto"))
            .args(program)
            .args(["-H", "127.0.0.1", "-p", "0"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut told = BufReader::new(server.stderr.take().unwrap()).lines().map_while(Result::ok);
        let url = told.find_map(|line| {
            let url = line.split_once("Running on ")?.1.trim();
            Some(url.to_owned())
        });
        // It goes on telling, and somebody has to listen.
        std::thread::spawn(move || told.for_each(drop));
        Self { url: url.expect("an address"), server, dir }
    }

    /// A program with everything in its environment that leads to this cloud.
    pub(super) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .env("AWS_ENDPOINT_URL", &self.url)
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "canary-key")
            .env("AWS_REGION", "eu-west-1")
            .env("AWS_DEFAULT_REGION", "eu-west-1")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("TF_CLI_CONFIG_FILE", self.dir.path().join("terraform.rc"))
            .env_remove("AWS_PROFILE")
            .env_remove("AWS_CA_BUNDLE");
        command
    }

    /// Writes a configuration and applies it.
    pub(crate) fn apply(&self, name: &str, configuration: &str) -> PathBuf {
        let dir = self.dir.path().join(name);
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(dir.join("main.tf"), format!("{PROVIDER}{configuration}")).unwrap();
        for arguments in
            [&["init", "-input=false"][..], &["apply", "-auto-approve", "-input=false"]]
        {
            let mut command = self.command("terraform");
            good(&command.args(arguments).arg("-no-color").current_dir(&dir).output().unwrap());
        }
        dir
    }

    /// Changes the cloud behind Terraform's back: lines of Python with `ec2`, `s3` and so on by
    /// `client(name)`. What they print comes back.
    pub(crate) fn python(&self, lines: &str) -> String {
        let lines = format!(
            "import boto3, json, sys\n\
             def client(name):\n    return boto3.client(name, endpoint_url='{}', region_name='eu-west-1')\n{lines}",
            self.url
        );
        let output = self.command(script("moto")).args(["-c", &lines]).output().unwrap();
        good(&output);
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Our program.
    pub(super) fn countersign(&self, arguments: &[&str]) -> Output {
        self.command(env!("CARGO_BIN_EXE_countersign")).args(arguments).output().unwrap()
    }
}

impl Drop for Cloud {
    fn drop(&mut self) {
        let _gone = self.server.kill();
        let _status = self.server.wait();
    }
}

/// Fails with what a program told, when it failed.
pub(super) fn good(output: &Output) {
    let told = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}\n{}", told(&output.stdout), told(&output.stderr));
}

pub(super) const PROVIDER: &str = r#"
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

provider "aws" {
  region                      = "eu-west-1"
  s3_use_path_style           = true
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}
"#;
