//! The program that has a port of this machine, and the next port that is free.

use std::net::{Ipv4Addr, TcpListener};

/// A program that listens on a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Name of the program.
    pub name: String,
    /// Process id.
    pub pid: u32,
}

/// Ports that are tried for a free one.
const TRIED: u16 = 100;

/// Finds the program that listens on a port of 127.0.0.1; none if the system doesn't tell, as for another user's program.
/// Takes up to a second: call it on a blocking thread.
pub fn find(port: u16) -> Option<Holder> {
    system::pid_of(port).and_then(|pid| Some(Holder { name: system::name_of(pid)?, pid }))
}

/// The first port after this one that is free.
pub fn free_after(port: u16) -> Option<u16> {
    let last = port.saturating_add(TRIED);
    (port.checked_add(1)?..=last).find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
}

#[cfg(target_os = "linux")]
mod system {
    use std::fs::{read_dir, read_link, read_to_string};

    /// The process that has the listening socket open, if this user may see it.
    pub fn pid_of(port: u16) -> Option<u32> {
        let inodes: Vec<String> = ["/proc/net/tcp", "/proc/net/tcp6"]
            .iter()
            .filter_map(|table| read_to_string(table).ok())
            .flat_map(|table| listening(&table, port))
            .map(|inode| format!("socket:[{inode}]"))
            .collect();
        if inodes.is_empty() {
            return None;
        }
        let pids = read_dir("/proc").ok()?.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        pids.into_iter().find(|pid: &u32| {
            let open = read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
            open.filter_map(|descriptor| read_link(descriptor.path()).ok())
                .any(|target| target.to_str().is_some_and(|target| inodes.iter().any(|one| one == target)))
        })
    }

    /// Inodes of the sockets of a table that listen on a port.
    pub fn listening(table: &str, port: u16) -> Vec<u64> {
        const LISTEN: &str = "0A";
        let suffix = format!(":{port:04X}");
        let inode = |line: &str| {
            // sl local remote st tx:rx tr:tm retrnsmt uid timeout inode
            let mut fields = line.split_ascii_whitespace().skip(1);
            let is_ours = fields.next()?.ends_with(&suffix);
            let is_listening = fields.nth(1)? == LISTEN;
            let inode = fields.nth(5)?.parse().ok()?;
            (is_ours && is_listening).then_some(inode)
        };
        table.lines().skip(1).filter_map(inode).collect()
    }

    /// Name of the file that runs. The name of the process is that of its main thread, which programs change.
    pub fn name_of(pid: u32) -> Option<String> {
        let program = read_link(format!("/proc/{pid}/exe")).ok()?;
        let name = program.file_name()?.to_str()?;
        Some(name.trim_end_matches(" (deleted)").to_owned())
    }
}

#[cfg(all(unix, not(target_os = "linux")))]
mod system {
    use std::process::Command;

    pub fn pid_of(port: u16) -> Option<u32> {
        first_number(&output("lsof", &["-nP", "-t", &format!("-iTCP:{port}"), "-sTCP:LISTEN"])?)
    }

    pub fn name_of(pid: u32) -> Option<String> {
        let path = output("ps", &["-o", "comm=", "-p", &pid.to_string()])?;
        let name = path.trim().rsplit('/').next()?;
        (!name.is_empty()).then(|| name.to_owned())
    }

    fn first_number(text: &str) -> Option<u32> {
        text.split_ascii_whitespace().next()?.parse().ok()
    }

    fn output(program: &str, arguments: &[&str]) -> Option<String> {
        let output = Command::new(program).args(arguments).output().ok()?;
        String::from_utf8(output.stdout).ok()
    }
}

#[cfg(windows)]
mod system {
    use std::os::windows::process::CommandExt;
    use std::process::Command;

    /// Opens no console window.
    const CREATE_NO_WINDOW: u32 = 0x0800_0000;

    pub fn pid_of(port: u16) -> Option<u32> {
        super::netstat_pid(&output("netstat", &["-ano", "-p", "TCP"])?, port)
    }

    pub fn name_of(pid: u32) -> Option<String> {
        let list = output("tasklist", &["/FI", &format!("PID eq {pid}"), "/FO", "CSV", "/NH"])?;
        super::tasklist_name(&list)
    }

    fn output(program: &str, arguments: &[&str]) -> Option<String> {
        let output = Command::new(program).args(arguments).creation_flags(CREATE_NO_WINDOW).output().ok()?;
        Some(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

/// The process in the output of `netstat -ano -p TCP` that listens on a port. The state's name is translated, so a listening
/// socket is known by its remote address.
#[cfg(any(windows, test))]
fn netstat_pid(table: &str, port: u16) -> Option<u32> {
    let suffix = format!(":{port}");
    table.lines().find_map(|line| {
        let mut fields = line.split_ascii_whitespace();
        let (_, local, remote) = (fields.next()?, fields.next()?, fields.next()?);
        (local.ends_with(&suffix) && remote.ends_with(":0")).then(|| fields.next_back()?.parse().ok())?
    })
}

/// The program's name in a line of `tasklist /FO CSV /NH`.
#[cfg(any(windows, test))]
fn tasklist_name(list: &str) -> Option<String> {
    let name = list.trim().strip_prefix('"')?.split('"').next()?;
    Some(name.trim_end_matches(".exe").to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn this_program_holds_its_own_port() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let holder = find(port).unwrap();
        assert_eq!(holder.pid, std::process::id());
        let program = std::env::current_exe().unwrap();
        let name = program.file_name().unwrap().to_str().unwrap();
        assert_eq!(holder.name, name);
        assert_ne!(free_after(port.saturating_sub(1)), Some(port));
        drop(listener);
        assert_eq!(find(port), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn only_listening_sockets_of_the_port_count() {
        const TABLE: &str =
            "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 71 1 0 100 0 0 10 0
   1: 0100007F:1F90 0100007F:9C40 01 00000000:00000000 00:00000000 00000000  1000        0 72 1 0 20 4 30 10 -1
   2: 0100007F:1F91 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 73 1 0 100 0 0 10 0
";
        assert_eq!(system::listening(TABLE, 8080), [71]);
        assert_eq!(system::listening("", 8080), [] as [u64; 0]);
    }

    #[test]
    fn output_of_the_tools_of_windows_is_read() {
        const TABLE: &str = "
Aktive Verbindungen

  Proto  Lokale Adresse         Remoteadresse          Status           PID
  TCP    127.0.0.1:8080         127.0.0.1:50000        HERGESTELLT      7
  TCP    127.0.0.1:8080         0.0.0.0:0              ABHÖREN          812
";
        assert_eq!(netstat_pid(TABLE, 8080), Some(812));
        assert_eq!(netstat_pid(TABLE, 80), None);
        assert_eq!(
            tasklist_name("\"python3.exe\",\"812\",\"Console\",\"1\",\"9 K\"\r\n").unwrap(),
            "python3"
        );
        assert_eq!(tasklist_name("INFO: No tasks are running"), None);
    }
}
