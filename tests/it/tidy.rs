//! Rules of structure that a compiler doesn't hold: which module may use which, and that each file has a head.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Each module of the crate and the modules it may use. Dependencies point one way: `conversation` and `failure` use
/// nothing of ours, and a module that is missing here may use nothing either.
const MAY_USE: &[(&str, &[&str])] = &[
    ("main", &["commands", "log", "options"]),
    ("commands", &["bridge", "dialect", "models", "options", "server", "simulator"]),
    (
        "server",
        &["bridge", "completion", "failure", "http", "log", "models", "options", "request_log", "tools"],
    ),
    (
        "http",
        &[
            "auto_mode",
            "blocking",
            "bridge",
            "completion",
            "conversation",
            "dialect",
            "failure",
            "log",
            "models",
            "options",
            "request_log",
            "tools",
        ],
    ),
    // Of the dialects only the request fields that are ours: how many rounds a client allows.
    ("auto_mode", &["bridge", "completion", "conversation", "dialect", "failure", "tools"]),
    (
        "completion",
        &["blocking", "bridge", "conversation", "failure", "log", "models", "tokens", "tools", "transcript"],
    ),
    ("blocking", &["failure"]),
    ("bridge", &["conversation", "failure"]),
    ("dialect", &["conversation", "failure"]),
    ("simulator", &["bridge", "conversation"]),
    ("models", &["bridge", "conversation", "failure"]),
    ("tools", &["bridge", "conversation", "failure", "models"]),
    ("tokens", &["conversation"]),
    ("transcript", &["conversation"]),
    ("request_log", &["bridge", "conversation", "failure", "log"]),
    ("log", &["bridge"]),
    ("options", &["bridge"]),
];

/// All Rust files of `src`, with their path in it.
fn files() -> Vec<(PathBuf, String)> {
    fn walk(directory: &Path, files: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, files);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    walk(&src, &mut found);
    assert!(found.len() > 50, "{found:?}");
    let read =
        |path: PathBuf| (path.strip_prefix(&src).unwrap().to_owned(), fs::read_to_string(&path).unwrap());
    found.into_iter().map(read).collect()
}

/// The module a file belongs to: `http` for `http.rs` and for all in `http/`.
fn module(path: &Path) -> String {
    let first = path.components().next().unwrap().as_os_str().to_str().unwrap();
    first.trim_end_matches(".rs").to_owned()
}

/// The modules that a file names, comments aside.
fn known(text: &str) -> BTreeSet<&str> {
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    let paths =
        code.flat_map(|line| line.match_indices("crate::").map(move |(at, path)| &line[at + path.len()..]));
    paths.map(|path| path.split(|c: char| !c.is_ascii_lowercase() && c != '_').next().unwrap()).collect()
}

#[test]
fn modules_use_only_what_they_may() {
    let mut violations = Vec::new();
    for (path, text) in files() {
        // Tests may look at a thing from outside.
        if path.ends_with("tests.rs") || path.iter().any(|folder| folder == "tests") {
            continue;
        }
        let module = module(&path);
        let may_use =
            MAY_USE.iter().find(|(known, _)| *known == module).map_or(&[][..], |(_, others)| others);
        for other in known(&text) {
            if other != module && !may_use.contains(&other) {
                violations.push(format!("{}: {module} may not use `{other}`", path.display()));
            }
        }
    }
    assert_eq!(violations, Vec::<String>::new());
}

#[test]
fn pure_modules_use_no_network_and_no_clock() {
    const PURE: &[&str] = &["conversation", "dialect", "failure", "tokens", "transcript"];
    const PURE_FILES: &[&str] = &["models/resolve.rs", "models/structure.rs", "tools/selection.rs"];
    const IMPURE: &[&str] = &["actix", "tokio::", "std::net", "std::fs", "Instant", "SystemTime"];
    let mut violations = Vec::new();
    for (path, text) in files().iter().filter(|(path, _)| {
        PURE.contains(&module(path).as_str()) || PURE_FILES.iter().any(|file| path.ends_with(file))
    }) {
        let code = text.lines().take_while(|line| *line != "#[cfg(test)]");
        let code = code.filter(|line| !line.trim_start().starts_with("//"));
        for line in code.filter(|line| IMPURE.iter().any(|word| line.contains(word))) {
            violations.push(format!("{}: {}", path.display(), line.trim()));
        }
    }
    assert_eq!(violations, Vec::<String>::new());
}

#[test]
fn every_file_has_a_head() {
    let silent: Vec<_> =
        files().into_iter().filter(|(_, text)| !text.starts_with("//! ")).map(|(path, _)| path).collect();
    assert_eq!(silent, Vec::<PathBuf>::new());
}

/// Words of an idiom that this project gave up: each has a standard term.
const BANNED_WORDS: &[&str] =
    &["stranger", "strangers", "overheard", "patiently", "whereabouts", "telling", "reception"];

/// Beginnings of a documentation that ask instead of saying what the item is or does.
const BANNED_OPENINGS: &[&str] = &["What", "Who", "Whose", "Whom", "Where", "How", "Which"];

#[test]
fn documentation_uses_standard_terms() {
    let mut violations = Vec::new();
    for (path, text) in files() {
        let mut continued = false;
        for (number, line) in text.lines().enumerate() {
            let line = line.trim_start();
            let Some(doc) = line.strip_prefix("/// ").or_else(|| line.strip_prefix("//! ")) else {
                continued = false;
                continue;
            };
            let mut words = doc.split(|c: char| !c.is_alphabetic());
            let first = words.next().unwrap_or_default();
            if !continued && BANNED_OPENINGS.contains(&first) {
                violations.push(format!("{}:{}: begins with {first}", path.display(), number + 1));
            }
            if let Some(word) = words.find(|word| BANNED_WORDS.contains(&word.to_lowercase().as_str())) {
                violations.push(format!("{}:{}: {word}", path.display(), number + 1));
            }
            continued = true;
        }
    }
    assert!(violations.is_empty(), "{} violations:\n{}", violations.len(), violations.join("\n"));
}

#[test]
fn the_allowed_dependencies_have_no_circle() {
    fn visit<'a>(module: &'a str, path: &mut Vec<&'a str>) {
        assert!(!path.contains(&module), "{} -> {module}", path.join(" -> "));
        path.push(module);
        let used = MAY_USE.iter().find(|(name, _)| *name == module).map_or(&[][..], |(_, used)| used);
        for used in used {
            visit(used, path);
        }
        path.pop();
    }
    for (module, _) in MAY_USE {
        visit(module, &mut Vec::new());
    }
}
