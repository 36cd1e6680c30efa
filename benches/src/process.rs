//! A process under measurement: started, controlled by lines, with its CPU time and memory from the system.

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;

use crate::Result;

/// A running process. Dropped, it is killed.
pub struct Process {
    child: Child,
    stdout: BufReader<ChildStdout>,
}

/// CPU time of each thread of a process, in nanoseconds.
pub struct Used(HashMap<String, u64>);

impl Process {
    pub fn start(command: &mut Command) -> Result<Process> {
        let started = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = started.map_err(|error| format!("{}: {error}", command.get_program().display()))?;
        let stdout = BufReader::new(child.stdout.take().ok_or("no stdout")?);
        Ok(Process { child, stdout })
    }

    /// The next line of its output.
    pub fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        match self.stdout.read_line(&mut line)? {
            0 => Err("a process under measurement has ended".into()),
            _ => Ok(line.trim_end().to_owned()),
        }
    }

    /// Asks a node process, see `editor/control.ts`.
    pub fn ask(&mut self, order: &str) -> Result<Value> {
        let stdin = self.child.stdin.as_mut().ok_or("no stdin")?;
        writeln!(stdin, "{order}")?;
        Ok(serde_json::from_str(&self.line()?)?)
    }

    /// Of all its threads. Finer than the ticks of `/proc/PID/stat`; a thread that ends takes its account along, and
    /// none does while a load runs.
    pub fn used(&self) -> Result<Used> {
        let mut used = HashMap::new();
        for thread in fs::read_dir(self.proc("task"))? {
            let thread = thread?.path();
            // It may have ended since.
            let Ok(account) = fs::read_to_string(thread.join("schedstat")) else { continue };
            let time = account.split(' ').next().unwrap_or_default().parse()?;
            used.insert(thread.display().to_string(), time);
        }
        Ok(Used(used))
    }

    /// Memory that it holds now, in KB.
    pub fn memory(&self) -> Result<f64> {
        self.status("VmRSS:")
    }

    /// The most it has held since `forget_peak`, in KB.
    pub fn peak(&self) -> Result<f64> {
        self.status("VmHWM:")
    }

    pub fn forget_peak(&self) -> Result<()> {
        Ok(fs::write(self.proc("clear_refs"), "5")?)
    }

    fn status(&self, name: &str) -> Result<f64> {
        let status = fs::read_to_string(self.proc("status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        Ok(line.and_then(|rest| rest.split_whitespace().next()).ok_or("no such account")?.parse()?)
    }

    fn proc(&self, file: &str) -> String {
        format!("/proc/{}/{file}", self.child.id())
    }
}

impl Used {
    /// CPU time since `before`, in microseconds.
    pub fn since(&self, before: &Used) -> f64 {
        let spent = |(thread, time): (&String, &u64)| time - before.0.get(thread).unwrap_or(&0);
        self.0.iter().map(spent).sum::<u64>() as f64 / 1e3
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
