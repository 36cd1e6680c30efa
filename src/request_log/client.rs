//! Name of a client: the product and its version from a `User-Agent`. Pure.

/// Longer names are cut, in bytes.
const MAX_NAME: usize = 48;

/// Products that every browser names, and those of which programs with a browser inside consist.
const EVERYBODY: &[&str] =
    &["Mozilla", "AppleWebKit", "Gecko", "Version", "Mobile", "Safari", "Chrome", "Electron"];

/// `claude-cli/2.1.0` for `claude-cli/2.1.0 (external, cli)`; `Firefox/140.0` for a Firefox.
pub(super) fn named(user_agent: &str) -> String {
    let words = without_remarks(user_agent);
    let words: Vec<&str> = words.split_whitespace().collect();
    let is_special = |word: &&str| !EVERYBODY.contains(&product(word));
    let own = words.iter().position(is_special);
    let of_everybody = || words.iter().position(|word| product(word) == "Chrome");
    let Some(at) = own.or_else(of_everybody) else { return cut(words.first().copied().unwrap_or_default()) };
    let name = words.get(at).copied().unwrap_or_default();
    // `OpenAI/Python 2.8.0`: the product has two names, and its version stands apart.
    match words.get(at + 1) {
        Some(version) if !name.ends_with(|last: char| last.is_ascii_digit()) && is_version(version) => {
            cut(&format!("{name} {version}"))
        }
        _ => cut(name),
    }
}

fn product(word: &str) -> &str {
    word.split('/').next().unwrap_or_default()
}

fn is_version(word: &str) -> bool {
    word.starts_with(|first: char| first.is_ascii_digit())
}

/// Removes comments in brackets, which describe the machine.
fn without_remarks(user_agent: &str) -> String {
    let mut depth = 0_u32;
    user_agent
        .chars()
        .filter(|character| {
            match character {
                '(' => depth += 1,
                ')' => {
                    depth = depth.saturating_sub(1);
                    return false;
                }
                _ => {}
            }
            depth == 0
        })
        .collect()
}

fn cut(name: &str) -> String {
    name.get(..name.floor_char_boundary(MAX_NAME)).unwrap_or(name).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn client_is_named_by_product_and_version() {
        for (user_agent, name) in [
            ("curl/8.5.0", "curl/8.5.0"),
            ("claude-cli/2.1.0 (external, cli)", "claude-cli/2.1.0"),
            ("codex_cli_rs/0.98.0 (Debian 13.0.0; x86_64) xterm", "codex_cli_rs/0.98.0"),
            ("OpenAI/Python 2.8.0", "OpenAI/Python 2.8.0"),
            ("Anthropic/JS 0.70.1", "Anthropic/JS 0.70.1"),
            ("opencode/1.0.80 ai-sdk/provider-utils/3.0.17 runtime/bun/1.3.2", "opencode/1.0.80"),
            ("node", "node"),
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
                "Chrome/142.0.0.0",
            ),
            ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox/140.0"),
            (
                "Mozilla/5.0 (Windows NT) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Safari/537.36 Edg/142.0",
                "Edg/142.0",
            ),
            ("Mozilla/5.0 (of nothing)", "Mozilla/5.0"),
            ("(only (remarks", ""),
            ("", ""),
        ] {
            assert_eq!(named(user_agent), name, "{user_agent}");
        }
    }

    #[test]
    fn long_names_are_cut() {
        assert_eq!(named(&"é".repeat(1000)).len(), MAX_NAME);
    }
}
