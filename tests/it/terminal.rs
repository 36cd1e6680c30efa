//! Runs commands as a user at a terminal does, each test in its own home, and captures their output.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};

use crate::server::Home;
use crate::wait::DEADLINE;

/// A home directory, and a working directory in it for commands.
pub struct Terminal {
    /// Directory of the server.
    pub server: Arc<Home>,
    home: Arc<Home>,
}

/// Exit code and output of a command.
#[derive(Debug, PartialEq, Eq)]
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// A running command that waits for input.
pub struct Question {
    /// Output so far.
    pub line: String,
    child: Child,
    /// Kept open: the command would die writing to a closed pipe.
    _stdout: BufReader<ChildStdout>,
}

/// A running command whose lines are read one by one. Dropping it kills the command.
pub struct Lines {
    child: Child,
    lines: Receiver<String>,
}

impl Lines {
    /// Waits for the next line.
    pub fn next_line(&self) -> String {
        self.lines.recv_timeout(DEADLINE).expect("a line")
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Question {
    /// Sends the input and waits for the end; earlier output is not included.
    pub fn answer(self, answer: &str) -> Ended {
        ended(self.child, answer)
    }
}

fn ended(mut child: Child, answers: &str) -> Ended {
    // It may not read to the end.
    let _ = child.stdin.take().unwrap().write_all(answers.as_bytes());
    let output = child.wait_with_output().unwrap();
    Ended {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Terminal {
    /// A terminal of a machine whose server uses this directory.
    pub fn beside(server: &Arc<Home>) -> Terminal {
        let home = Home::new();
        fs::create_dir_all(home.path()).unwrap();
        Terminal { server: server.clone(), home }
    }

    /// A file in the home directory.
    pub fn file(&self, path: &str) -> PathBuf {
        // Name by name, so that it is written as the system writes it.
        path.split('/').fold(self.home.path().to_owned(), |file, name| file.join(name))
    }

    pub fn write(&self, path: &str, text: &str) {
        let path = self.file(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.file(path)).unwrap()
    }

    /// All files in the home, except those kept for undo.
    pub fn files(&self) -> Vec<String> {
        let mut files = Vec::new();
        let mut folders = vec![self.home.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let name = path.strip_prefix(self.home.path()).unwrap().to_str().unwrap().to_owned();
                if path.is_dir() && name != ".local" {
                    folders.push(path);
                }
                files.push(name);
            }
        }
        files.retain(|name| name != ".local");
        files.sort();
        files
    }

    /// Commands of the system, behind those that a test puts into the home's `bin`.
    fn path(&self) -> String {
        format!("{}:/usr/bin:/bin", self.file("bin").display())
    }

    /// Runs a command at a pseudo-terminal; returns what is on its screen at the end.
    #[cfg(target_os = "linux")]
    pub fn at_a_terminal(&self, answers: &str, arguments: &[&str]) -> String {
        let (command, rest) = arguments.split_first().unwrap();
        let program = env!("CARGO_BIN_EXE_copilot-proxy");
        let line = format!("{program} {command} --dir {} {}", self.server.path().display(), rest.join(" "));
        let child = Command::new("script")
            .args(["--quiet", "--return", "--command", &line, "/dev/null"])
            .current_dir(self.home.path())
            .env_clear()
            .env("HOME", self.home.path())
            .env("PATH", self.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        ended(child, answers).stdout
    }

    /// Starts a command.
    fn starts(&self, arguments: &[&str]) -> Child {
        let (command, rest) = arguments.split_first().unwrap();
        let dir = ["--dir", self.server.path().to_str().unwrap()];
        Command::new(env!("CARGO_BIN_EXE_copilot-proxy"))
            .arg(command)
            .args(dir)
            .args(rest)
            .current_dir(self.home.path())
            .env_clear()
            .env("HOME", self.home.path())
            .env("PATH", self.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// Runs a command with this input.
    pub fn answering(&self, answers: &str, arguments: &[&str]) -> Ended {
        ended(self.starts(arguments), answers)
    }

    /// Starts a command and waits for its first line of output.
    pub fn start(&self, arguments: &[&str]) -> Question {
        let mut child = self.starts(arguments);
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        Question { line, child, _stdout: stdout }
    }

    /// Starts a command whose lines are read while it runs.
    pub fn follow(&self, arguments: &[&str]) -> Lines {
        lines_of(self.starts(arguments))
    }

    /// Starts a command that takes no directory.
    pub fn lines_of(&self, arguments: &[&str]) -> Lines {
        let mut command = Command::new(env!("CARGO_BIN_EXE_copilot-proxy"));
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        lines_of(command.current_dir(self.home.path()).spawn().unwrap())
    }

    pub fn run(&self, arguments: &[&str]) -> Ended {
        self.answering("", arguments)
    }
}

fn lines_of(mut child: Child) -> Lines {
    let (sender, lines) = channel();
    let stdout = BufReader::new(child.stdout.take().unwrap());
    std::thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
    Lines { child, lines }
}
