//! The variables that the official SDKs read, as an environment and as the lines of a `.env`.

use super::{ConfigFile, Configuration};
use crate::commands::connection_info::ConnectionInfo;

/// The file of a folder.
pub const CONFIGURATION: Configuration = Configuration {
    user: &[],
    project: &[ConfigFile::new(|_, _| ".env".into(), |before, connection| Ok(apply(before, connection)))],
    names_model: true,
    next_step: "the OpenAI and Anthropic SDKs find these variables once your program has loaded the file",
};

/// The variables, OpenAI's and Anthropic's. `OPENAI_API_BASE` is what older programs call the base URL.
pub fn environment(connection: &ConnectionInfo) -> Vec<(&'static str, String)> {
    let key = || connection.key_or_filler().to_owned();
    vec![
        ("OPENAI_BASE_URL", connection.openai_base()),
        ("OPENAI_API_BASE", connection.openai_base()),
        ("OPENAI_API_KEY", key()),
        ("ANTHROPIC_BASE_URL", connection.base.clone()),
        ("ANTHROPIC_API_KEY", key()),
    ]
}

/// A `.env` with these variables.
pub fn apply(before: Option<&str>, connection: &ConnectionInfo) -> String {
    with_variables(before, environment(connection))
}

/// A `.env` with the given variables: lines that set them are replaced, others stay, the rest comes at the end.
pub(super) fn with_variables(before: Option<&str>, mut missing: Vec<(&'static str, String)>) -> String {
    let mut after = String::new();
    for line in before.unwrap_or_default().split_inclusive('\n') {
        let Some(at) = missing.iter().position(|(name, _)| sets(line, name)) else {
            after += line;
            continue;
        };
        let (name, value) = missing.remove(at);
        let export = if line.trim_start().starts_with("export ") { "export " } else { "" };
        let end = if line.ends_with("\r\n") { "\r\n" } else { "\n" };
        after.extend([export, name, "=", &value, end]);
    }
    if !after.is_empty() && !after.ends_with('\n') {
        after.push('\n');
    }
    for (name, value) in missing {
        after.extend([name, "=", &value, "\n"]);
    }
    after
}

fn sets(line: &str, name: &str) -> bool {
    let line = line.trim_start();
    let line = line.strip_prefix("export ").unwrap_or(line).trim_start();
    line.strip_prefix(name).is_some_and(|rest| rest.trim_start().starts_with('='))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::connection_info::tests::connection;

    const FRESH: &str = "OPENAI_BASE_URL=http://127.0.0.1:8080/v1
OPENAI_API_BASE=http://127.0.0.1:8080/v1
OPENAI_API_KEY=unused
ANTHROPIC_BASE_URL=http://127.0.0.1:8080
ANTHROPIC_API_KEY=unused
";

    #[test]
    fn lines_are_replaced_in_place_or_appended() {
        let after = |before| apply(before, &connection(&[]));
        assert_eq!(after(None), FRESH);
        assert_eq!(after(Some(FRESH)), FRESH);
        assert_eq!(
            after(Some("# Mine\nexport OPENAI_API_KEY = secret\nOPENAI_API_KEYS=a\r\nA=b")),
            "# Mine\nexport OPENAI_API_KEY=unused\nOPENAI_API_KEYS=a\r\nA=b\n\
             OPENAI_BASE_URL=http://127.0.0.1:8080/v1\nOPENAI_API_BASE=http://127.0.0.1:8080/v1\n\
             ANTHROPIC_BASE_URL=http://127.0.0.1:8080\nANTHROPIC_API_KEY=unused\n"
        );
    }
}
