//! Commands in the syntax of the user's shell.

use std::path::Path;

/// A family of shells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Shell {
    /// sh, bash, zsh
    Posix,
    /// `PowerShell`
    #[value(alias = "pwsh")]
    Powershell,
    /// fish
    Fish,
}

impl Shell {
    /// The shell that the user most likely types into.
    pub fn of(variable: impl Fn(&str) -> Option<String>) -> Shell {
        let named = variable("SHELL").unwrap_or_default();
        match Path::new(&named).file_stem().and_then(|name| name.to_str()) {
            Some("fish") => Shell::Fish,
            Some("pwsh" | "powershell") => Shell::Powershell,
            // Windows has no such variable, unless a POSIX shell has set it.
            None if cfg!(windows) => Shell::Powershell,
            Some(_) | None => Shell::Posix,
        }
    }

    /// The extension of its scripts.
    pub fn extension(self) -> &'static str {
        match self {
            Shell::Posix => "sh",
            Shell::Powershell => "ps1",
            Shell::Fish => "fish",
        }
    }

    /// A line that sets a variable for all programs that the shell starts.
    pub fn set(self, name: &str, value: &str) -> String {
        let quoted = self.quoted(value);
        match self {
            Shell::Posix => format!("export {name}={quoted}"),
            Shell::Powershell => format!("$env:{name} = {quoted}"),
            Shell::Fish => format!("set -gx {name} {quoted}"),
        }
    }

    /// The output of a command, within a command.
    pub fn output_of(self, command: &str) -> String {
        match self {
            Shell::Posix => format!("\"$({command})\""),
            Shell::Powershell | Shell::Fish => format!("({command})"),
        }
    }

    /// One word with exactly this text.
    fn quoted(self, text: &str) -> String {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./:@%+".contains(c);
        match self {
            Shell::Powershell => format!("'{}'", text.replace('\'', "''")),
            Shell::Posix | Shell::Fish if !text.is_empty() && text.chars().all(is_plain) => text.to_owned(),
            Shell::Posix => format!("'{}'", text.replace('\'', r"'\''")),
            Shell::Fish => format!("'{}'", text.replace('\\', r"\\").replace('\'', r"\'")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shell_is_the_one_of_the_user() {
        let of = |shell: Option<&str>| Shell::of(|_| shell.map(str::to_owned));
        assert_eq!(of(Some("/bin/bash")), Shell::Posix);
        assert_eq!(of(Some("/usr/bin/fish")), Shell::Fish);
        assert_eq!(of(Some("/snap/bin/pwsh")), Shell::Powershell);
        assert_eq!(of(None), if cfg!(windows) { Shell::Powershell } else { Shell::Posix });
    }

    #[test]
    fn values_are_quoted_as_the_shell_reads_them() {
        for (shell, plain, odd) in [
            (Shell::Posix, "export A=http://h:1/v1", r"export A='it'\''s $x \ y'"),
            (Shell::Powershell, "$env:A = 'http://h:1/v1'", r"$env:A = 'it''s $x \ y'"),
            (Shell::Fish, "set -gx A http://h:1/v1", r"set -gx A 'it\'s $x \\ y'"),
        ] {
            assert_eq!(shell.set("A", "http://h:1/v1"), plain);
            assert_eq!(shell.set("A", r"it's $x \ y"), odd);
        }
    }
}
