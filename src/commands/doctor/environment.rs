//! The environment of the commands: a plain machine, WSL, a container or a remote machine, and a proxy between programs
//! and the server. It decides which address programs need.

use std::path::Path;

/// The environment of this process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Environment {
    pub place: MachineKind,
    /// The variable that sends requests for this machine to a proxy, if one does.
    pub proxy_variable: Option<&'static str>,
}

/// Kind of machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum MachineKind {
    #[default]
    Plain,
    Codespace,
    Container,
    Wsl,
    Remote,
}

impl Environment {
    pub fn of_this_process() -> Environment {
        let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        Environment::of(|name| std::env::var(name).ok(), |path| Path::new(path).exists(), &kernel)
    }

    fn of(
        variable: impl Fn(&str) -> Option<String>,
        exists: impl Fn(&str) -> bool,
        kernel: &str,
    ) -> Environment {
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        let is_set = |name: &&str| variable(name).is_some();
        let place = if is_set(&"CODESPACES") {
            MachineKind::Codespace
        } else if ["REMOTE_CONTAINERS", "DEVCONTAINER", "container"].iter().any(is_set)
            || exists("/.dockerenv")
            || exists("/run/.containerenv")
        {
            MachineKind::Container
        } else if is_set(&"WSL_DISTRO_NAME") || kernel.to_lowercase().contains("microsoft") {
            MachineKind::Wsl
        } else if is_set(&"SSH_CONNECTION") {
            MachineKind::Remote
        } else {
            MachineKind::Plain
        };
        let excepted = ["no_proxy", "NO_PROXY"].into_iter().filter_map(variable).any(|except| {
            except.split(',').any(|host| ["*", "127.0.0.1", "127.0.0.0/8"].contains(&host.trim()))
        });
        let proxy_variable = ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"].into_iter().find(is_set);
        Environment { place, proxy_variable: proxy_variable.filter(|_| !excepted) }
    }

    pub fn is_container(&self) -> bool {
        self.place == MachineKind::Container
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)], files: &[&str], kernel: &str) -> Environment {
        let value = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        Environment::of(|name| value(name).map(str::to_owned), |path| files.contains(&path), kernel)
    }

    #[test]
    fn environment_is_detected() {
        for (variables, files, kernel, place) in [
            (&[][..], &[][..], "6.1.0-21-amd64\n", MachineKind::Plain),
            (&[("SSH_CONNECTION", "1")], &[], "", MachineKind::Remote),
            (&[("SSH_CONNECTION", "")], &[], "", MachineKind::Plain),
            (&[("WSL_DISTRO_NAME", "Debian")], &[], "", MachineKind::Wsl),
            (&[], &[], "5.15.153.1-microsoft-standard-WSL2\n", MachineKind::Wsl),
            (&[("WSL_DISTRO_NAME", "Debian")], &["/.dockerenv"], "", MachineKind::Container),
            (&[("REMOTE_CONTAINERS", "true")], &[], "", MachineKind::Container),
            (&[("CODESPACES", "true")], &["/.dockerenv"], "", MachineKind::Codespace),
        ] {
            assert_eq!(
                environment(variables, files, kernel).place,
                place,
                "{variables:?} {files:?} {kernel}"
            );
        }
    }

    #[test]
    fn proxy_variable_is_reported_unless_no_proxy_has_loopback() {
        for (variables, proxy_variable) in [
            (&[("HTTP_PROXY", "http://p")][..], Some("HTTP_PROXY")),
            (&[("http_proxy", "http://p"), ("NO_PROXY", "example.org")], Some("http_proxy")),
            (&[("http_proxy", "http://p"), ("NO_PROXY", "example.org, 127.0.0.1")], None),
            (&[("HTTPS_PROXY", "http://p")], None),
        ] {
            assert_eq!(environment(variables, &[], "").proxy_variable, proxy_variable, "{variables:?}");
        }
    }
}
