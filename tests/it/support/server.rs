//! The real binary as people run it: started, asked over HTTP, stopped or killed.

use std::{
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc,
    time::{Duration, Instant},
};

use serde_json::Value;

/// How long anything may take on a machine that is also compiling.
pub const PATIENCE: Duration = Duration::from_secs(120);
pub const VOUCH: &str = env!("CARGO_BIN_EXE_vouch");

/// A running `vouch serve`, killed when dropped.
pub struct Server {
    pub child: Child,
    pub address: String,
    pub data_dir: PathBuf,
    pub env: Vec<(String, String)>,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The binary over a data directory, quiet about everything else.
pub fn command(data_dir: &Path, env: &[(String, String)]) -> Command {
    let mut command = Command::new(VOUCH);
    command
        .env("VOUCH_DATA_DIR", data_dir)
        .env("VOUCH_SERVER__TLS__MODE", "off")
        .env("VOUCH_SERVER__LISTEN", "127.0.0.1:0")
        .env("VOUCH_READER__ENGINE", "tesseract")
        .env("VOUCH_READER__LANGUAGES", "[\"eng\"]")
        .env("VOUCH_WORKERS__LEASE_SECONDS", "10")
        .envs(env.iter().map(|(k, v)| (k.as_str(), v.as_str())));
    command
}

/// A setting of the server's environment.
pub fn variable(key: &str, value: &str) -> (String, String) {
    (format!("VOUCH_{key}"), value.to_owned())
}

impl Server {
    pub fn start(data_dir: &Path, env: &[(String, String)], arguments: &[&str]) -> Self {
        Self::start_as(command(data_dir, env), data_dir, env, arguments)
    }

    /// As [`Server::start`], with `program` before the arguments: under a tracer, say.
    pub fn start_as(program: Command, data_dir: &Path, env: &[(String, String)], arguments: &[&str]) -> Self {
        Self::try_start(program, data_dir, env, arguments).unwrap_or_else(|status| panic!("the server ended: {status}"))
    }

    /// As [`Server::start_as`]; how the server ended, when it did before it listened.
    pub fn try_start(
        mut program: Command,
        data_dir: &Path,
        env: &[(String, String)],
        arguments: &[&str],
    ) -> Result<Self, ExitStatus> {
        let mut child = program
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if let Some(address) = line.strip_prefix("listening on ") {
                    let _ = sender.send(address.to_owned());
                }
            }
        });
        match receiver.recv_timeout(PATIENCE) {
            Ok(address) => Ok(Self { child, address, data_dir: data_dir.to_owned(), env: env.to_vec() }),
            Err(mpsc::RecvTimeoutError::Disconnected) => Err(child.wait().expect("it ends")),
            Err(mpsc::RecvTimeoutError::Timeout) => {
                let _ = child.kill();
                panic!("no `listening on` within {} s", PATIENCE.as_secs())
            }
        }
    }

    /// Waits until the process has ended by itself and says how.
    pub fn wait_for_end(mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("the process can be asked") {
                return status;
            }
            assert!(Instant::now() < deadline, "the process is still running");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Asks for an orderly stop and waits for it.
    pub fn stop(mut self) {
        let pid = nix::unistd::Pid::from_raw(i32::try_from(self.child.id()).expect("a pid"));
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).expect("the signal is sent");
        let status = self.child.wait().expect("it ends");
        assert!(status.success(), "an orderly stop is a success: {status}");
    }

    /// Runs another command over the same data.
    pub fn run(&self, arguments: &[&str]) -> (bool, String) {
        let output = command(&self.data_dir, &self.env).args(arguments).output().expect("the binary runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        (output.status.success(), text)
    }

    /// An API token of a new user with these roles.
    pub fn token(&self, user: &str, roles: &str) -> String {
        let (ok, text) = self.run(&["user", "add", user, "--roles", roles]);
        assert!(ok, "{text}");
        let (ok, text) = self.run(&["user", "token", user]);
        assert!(ok, "{text}");
        text.lines().find(|l| l.starts_with("vch_")).expect("a token").to_owned()
    }
}

pub struct Api {
    pub client: reqwest::Client,
    pub address: String,
    pub token: String,
}

impl Api {
    pub fn new(server: &Server, token: &str) -> Self {
        // The process default provider; the server names its own.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self { client: reqwest::Client::new(), address: server.address.clone(), token: token.to_owned() }
    }

    pub async fn upload(&self, bytes: Vec<u8>) -> (u16, Value) {
        let url = format!("{}/api/v1/receipts?file_name=receipt.jpg&no_visit=true", self.address);
        let answer = self.client.post(url).bearer_auth(&self.token).body(bytes).send().await.expect("an answer");
        (answer.status().as_u16(), answer.json().await.expect("JSON"))
    }

    /// As [`Api::upload`]; `None` when the connection broke before a whole answer.
    pub async fn try_upload(&self, bytes: Vec<u8>) -> Option<(u16, Value)> {
        let url = format!("{}/api/v1/receipts?file_name=receipt.jpg&no_visit=true", self.address);
        let answer = self.client.post(url).bearer_auth(&self.token).body(bytes).send().await.ok()?;
        let status = answer.status().as_u16();
        Some((status, answer.json().await.ok()?))
    }

    pub async fn get(&self, path: &str) -> Value {
        let url = format!("{}/api/v1{path}", self.address);
        let answer = self.client.get(url).bearer_auth(&self.token).send().await.expect("an answer");
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        answer.json().await.expect("JSON")
    }

    pub async fn send(&self, method: reqwest::Method, path: &str, body: &Value) -> (u16, Value) {
        let url = format!("{}/api/v1{path}", self.address);
        let request = self.client.request(method, url).bearer_auth(&self.token).json(body);
        let answer = request.send().await.expect("an answer");
        (answer.status().as_u16(), answer.json().await.unwrap_or(Value::Null))
    }

    /// Waits until the capture is read or has failed.
    pub async fn settled(&self, capture: &str) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let body = self.get(&format!("/captures/{capture}")).await;
            if ["read", "failed", "password_needed"].iter().any(|state| body["state"] == *state) {
                return body;
            }
            assert!(Instant::now() < deadline, "the capture is still {}", body["state"]);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

/// A synthetic receipt of the project.
pub fn fixture(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/receipts").join(name).join("receipt.jpg");
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
