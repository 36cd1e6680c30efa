//! The targets: the server with the real extension, and two references. Each is started again for each load.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::Result;
use crate::http::Connection;
use crate::process::{Process, Used};

mod peers;

/// Longest time for a process to start.
const UP_WITHIN: Duration = Duration::from_mins(1);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// The server and the extension.
    Ours,
    /// The same within node: `editor/inproc.ts`.
    Inproc,
    /// actix-web alone: `floor.rs`.
    Floor,
    /// nginx in front of the floor.
    Nginx,
    /// LiteLLM's proxy in front of the floor.
    LiteLlm,
}

/// Paths of the programs.
#[derive(Clone)]
pub struct Programs {
    /// Path of our server.
    pub server: PathBuf,
    /// The folder of the extension, its bundle built.
    pub extension: PathBuf,
    /// LiteLLM's program, where peers are measured.
    pub litellm: PathBuf,
}

/// A target that answers.
pub struct Running {
    pub port: u16,
    pub server: Option<Process>,
    pub node: Option<Process>,
    /// The floor behind a peer. Its costs are not the peer's.
    upstream: Option<Process>,
    /// Extension hosts of further windows.
    more_windows: Vec<Process>,
    /// Start time of the extension, in milliseconds.
    pub activation: f64,
    // Last: removed when no process writes to it any more.
    home: Home,
}

/// CPU that was used, in microseconds.
#[derive(Clone, Copy)]
pub struct Cost {
    pub node: f64,
    pub all: f64,
}

/// The accounts when a load began.
pub struct Before {
    server: Option<Used>,
    node: Option<Used>,
    more_windows: Vec<Used>,
}

impl Target {
    pub async fn start(self, programs: &Programs) -> Result<Running> {
        let home = Home::new()?;
        let mut running = Running {
            port: 0,
            server: None,
            node: None,
            upstream: None,
            more_windows: Vec::new(),
            activation: 0.0,
            home,
        };
        match self {
            Target::Ours => {
                let (server, port) = serve(programs, &running.home)?;
                (running.server, running.port) = (Some(server), port);
                let mut node = window(programs, &running.home)?;
                let ready: Value = serde_json::from_str(&node.line()?)?;
                running.activation = number(&ready, "load")? + number(&ready, "activate")?;
                running.node = Some(node);
                running.wait_for_models().await?;
            }
            Target::Inproc => {
                let mut node = Process::start(&mut node("inproc", programs))?;
                running.port = port(&node.line()?)?;
                running.node = Some(node);
            }
            Target::Floor => {
                let (server, port) = floor()?;
                (running.server, running.port) = (Some(server), port);
            }
            Target::Nginx | Target::LiteLlm => {
                let (upstream, upstream_port) = floor()?;
                running.upstream = Some(upstream);
                running.port = free_port()?;
                let folder = &running.home.0;
                let mut peer = if self == Target::Nginx {
                    peers::nginx(folder, running.port, upstream_port)?
                } else {
                    peers::litellm(&programs.litellm, folder, running.port, upstream_port)?
                };
                running.server = Some(Process::start(&mut peer)?);
                running.wait_until_open().await?;
            }
        }
        Ok(running)
    }

    /// From the start of the server's program to its first answer.
    pub async fn cold_start(self, programs: &Programs) -> Result<Duration> {
        let home = Home::new()?;
        let started = Instant::now();
        let (_server, port) = if self == Target::Ours { serve(programs, &home)? } else { floor()? };
        Connection::open(port).await?.body(&get("/")).await?;
        Ok(started.elapsed())
    }

    /// The program of its server.
    pub fn program(self, programs: &Programs) -> Result<PathBuf> {
        if self == Target::Ours { Ok(programs.server.clone()) } else { beside_us("bench-floor") }
    }
}

impl Running {
    pub fn begin(&self) -> Result<Before> {
        let used = |process: &Option<Process>| process.as_ref().map(Process::used).transpose();
        let more_windows = self.more_windows.iter().map(Process::used).collect::<Result<_>>()?;
        Ok(Before { server: used(&self.server)?, node: used(&self.node)?, more_windows })
    }

    /// CPU time since then.
    pub fn cost(&self, before: &Before) -> Result<Cost> {
        let spent = |process: &Option<Process>, before: &Option<Used>| -> Result<f64> {
            Ok(match (process, before) {
                (Some(process), Some(before)) => process.used()?.since(before),
                _ => 0.0,
            })
        };
        let node = spent(&self.node, &before.node)?;
        let mut all = node + spent(&self.server, &before.server)?;
        for (window, before) in self.more_windows.iter().zip(&before.more_windows) {
            all += window.used()?.since(before);
        }
        Ok(Cost { node, all })
    }

    pub fn processes(&self) -> impl Iterator<Item = &Process> {
        self.server.iter().chain(&self.node).chain(&self.more_windows)
    }

    /// Number of windows that were opened.
    pub fn windows(&self) -> usize {
        self.more_windows.len() + 1
    }

    /// Opens one more window.
    pub fn add_window(&mut self, programs: &Programs) -> Result<()> {
        let mut node = window(programs, &self.home)?;
        node.line()?;
        self.more_windows.push(node);
        Ok(())
    }

    /// Waits until so many windows are attached.
    pub async fn wait_for_windows(&self, count: usize) -> Result<()> {
        self.wait_for_health(|health| health["editors"] == count).await
    }

    /// Path for a socket of the harness.
    pub fn socket(&self) -> PathBuf {
        self.home.0.join("echo")
    }

    async fn wait_until_open(&self) -> Result<()> {
        let began = Instant::now();
        while began.elapsed() < UP_WITHIN {
            if Connection::open(self.port).await.is_ok() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Err("the peer did not open its port".into())
    }

    async fn wait_for_models(&self) -> Result<()> {
        self.wait_for_health(|health| health["models_available"] == 1).await
    }

    async fn wait_for_health(&self, is_ready: impl Fn(&Value) -> bool) -> Result<()> {
        let began = Instant::now();
        while began.elapsed() < UP_WITHIN {
            let health = Connection::open(self.port).await?.body(&get("/health")).await?;
            let health: Value = serde_json::from_slice(&health)?;
            if is_ready(&health) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Err("the extension did not attach".into())
    }
}

impl Cost {
    /// For each of so many.
    pub fn each(self, count: usize) -> Cost {
        Cost { node: self.node / count as f64, all: self.all / count as f64 }
    }
}

/// The extension host of a window.
fn window(programs: &Programs, home: &Home) -> Result<Process> {
    Process::start(
        node("host", programs)
            .arg(programs.extension.join("out/extension.js"))
            .arg(programs.extension.join("package.json"))
            .env("XDG_RUNTIME_DIR", &home.0)
            .env("XDG_STATE_HOME", home.0.join("state")),
    )
}

fn serve(programs: &Programs, home: &Home) -> Result<(Process, u16)> {
    let mut server = Process::start(
        Command::new(&programs.server)
            .args(["serve", "--port", "0", "--max-running", "2000", "--dir"])
            .arg(home.0.join("copilot-proxy")),
    )?;
    let line = server.line()?;
    let port = line.rsplit(':').next().and_then(|port| port.parse().ok());
    Ok((server, port.ok_or_else(|| format!("not a ready line: {line}"))?))
}

fn floor() -> Result<(Process, u16)> {
    let mut server = Process::start(&mut Command::new(beside_us("bench-floor")?))?;
    let port = port(&server.line()?)?;
    Ok((server, port))
}

/// A port for a program that can't choose one and say which.
fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// A program that was built with this one.
fn beside_us(name: &str) -> Result<PathBuf> {
    Ok(std::env::current_exe()?.parent().unwrap_or(Path::new(".")).join(name))
}

fn node(script: &str, programs: &Programs) -> Command {
    let mut node = Command::new("node");
    node.arg("--expose-gc").arg(programs.extension.join(format!("out/bench/{script}.js")));
    node
}

fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n").into_bytes()
}

fn port(line: &str) -> Result<u16> {
    let started: Value = serde_json::from_str(line)?;
    Ok(started["port"]
        .as_u64()
        .and_then(|port| u16::try_from(port).ok())
        .ok_or("no port in its first line")?)
}

pub fn number(value: &Value, name: &str) -> Result<f64> {
    Ok(value[name].as_f64().ok_or_else(|| format!("no {name} in {value}"))?)
}

/// A directory of this target's own, for this user alone.
struct Home(PathBuf);

impl Home {
    fn new() -> Result<Home> {
        static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let number = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("copilot-proxy-bench-{}-{number}", std::process::id()));
        DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Home(path))
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
