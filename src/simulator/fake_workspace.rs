//! The pretend workspace that the simulated editor has open: a few files that never change. Pure.

const FILES: [(&str, &str); 4] = [
    ("README.md", "# Pretend\n\nA small project that the simulated editor has open.\n"),
    ("docs/notes.md", "- Say hello to everybody\n- Say it twice\n"),
    ("src/greeting.rs", "pub fn greeting(name: &str) -> String {\n    format!(\"Hello, {name}!\")\n}\n"),
    (
        "src/main.rs",
        "mod greeting;\n\nfn main() {\n    println!(\"{}\", greeting::greeting(\"world\"));\n}\n",
    ),
];

/// A file's text.
pub fn read(path: &str) -> Option<&'static str> {
    let path = within(path);
    FILES.iter().find(|(file, _)| *file == path).map(|(_, text)| *text)
}

/// Names in a folder, in order, folders with a slash at the end.
pub fn list(folder: &str) -> Option<Vec<String>> {
    let folder = match within(folder) {
        "" => String::new(),
        folder => format!("{folder}/"),
    };
    let below = FILES.iter().filter_map(|(file, _)| file.strip_prefix(folder.as_str()));
    let mut names: Vec<String> = below
        .map(|path| path.split_once('/').map_or(path.to_owned(), |(folder, _)| format!("{folder}/")))
        .collect();
    names.dedup();
    (!names.is_empty()).then_some(names)
}

/// The path from the workspace's root: `/`, `.` and `./src/` are understood.
fn within(path: &str) -> &str {
    let path = path.trim_matches('/');
    if path == "." { "" } else { path.strip_prefix("./").unwrap_or(path) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folder_lists_its_entries() {
        for root in ["", ".", "/", "./"] {
            assert_eq!(list(root), Some(vec!["README.md".into(), "docs/".into(), "src/".into()]));
        }
        for folder in ["src", "./src/", "/src"] {
            assert_eq!(list(folder), Some(vec!["greeting.rs".into(), "main.rs".into()]));
        }
        assert_eq!(list("sr"), None);
        assert_eq!(list("README.md"), None);
    }

    #[test]
    fn files_are_read() {
        assert_eq!(read("./docs/notes.md"), Some("- Say hello to everybody\n- Say it twice\n"));
        assert_eq!(read("docs"), None);
    }
}
