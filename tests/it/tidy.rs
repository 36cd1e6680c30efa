//! The house rules that a compiler does not hold: who may know whom, and that each file says what it is.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Each room and the rooms it may know besides itself. Arrows point inward: `conversation` and `failure` know
/// nobody, and whoever is missing here knows nobody either.
const MAY_KNOW: &[(&str, &[&str])] = &[
    ("main", &["commands", "log", "settings"]),
    ("commands", &["bridge", "models", "server", "settings", "simulator"]),
    ("server", &["actors", "asking", "bridge", "failure", "http", "ledger", "log", "models", "settings"]),
    (
        "http",
        &[
            "actors",
            "asking",
            "bridge",
            "conversation",
            "dialect",
            "failure",
            "ledger",
            "log",
            "models",
            "settings",
            "threads",
            "tools",
        ],
    ),
    // Of the dialects only the request fields that are ours: how many rounds a client allows.
    ("actors", &["asking", "bridge", "conversation", "dialect", "failure", "models", "tools"]),
    // Of the actors only the registry, which it asks who has a model.
    (
        "asking",
        &[
            "actors",
            "bridge",
            "conversation",
            "failure",
            "models",
            "threads",
            "tokens",
            "tools",
            "transcript",
        ],
    ),
    ("threads", &["failure"]),
    ("bridge", &["conversation", "failure"]),
    ("dialect", &["conversation", "failure"]),
    ("simulator", &["bridge", "conversation"]),
    // The editors' words for a model and a tool are the ones clients are told.
    ("models", &["bridge", "conversation"]),
    ("tools", &["bridge", "conversation", "failure"]),
    ("tokens", &["conversation"]),
    ("transcript", &["conversation"]),
    ("ledger", &["bridge", "conversation", "failure", "log"]),
    ("log", &["bridge"]),
    ("settings", &["bridge"]),
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

/// The room a file belongs to: `http` for `http.rs` and for all in `http/`.
fn room(path: &Path) -> String {
    let first = path.components().next().unwrap().as_os_str().to_str().unwrap();
    first.trim_end_matches(".rs").to_owned()
}

/// The rooms that a file names, comments aside.
fn known(text: &str) -> BTreeSet<&str> {
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    let paths =
        code.flat_map(|line| line.match_indices("crate::").map(move |(at, path)| &line[at + path.len()..]));
    paths.map(|path| path.split(|c: char| !c.is_ascii_lowercase() && c != '_').next().unwrap()).collect()
}

#[test]
fn rooms_know_only_whom_they_may() {
    let mut trespassers = Vec::new();
    for (path, text) in files() {
        // Tests may look at a thing from outside.
        if path.ends_with("tests.rs") || path.iter().any(|folder| folder == "tests") {
            continue;
        }
        let room = room(&path);
        let may_know =
            MAY_KNOW.iter().find(|(known, _)| *known == room).map_or(&[][..], |(_, others)| others);
        for other in known(&text) {
            if other != room && !may_know.contains(&other) {
                trespassers.push(format!("{}: {room} may not know `{other}`", path.display()));
            }
        }
    }
    assert_eq!(trespassers, Vec::<String>::new());
}

#[test]
fn dialects_and_the_rooms_inside_know_no_network_and_no_clock() {
    const INSIDE: &[&str] =
        &["conversation", "dialect", "failure", "models", "tokens", "tools", "transcript"];
    const OUTSIDE: &[&str] = &["actix", "tokio::", "std::net", "std::fs", "Instant", "SystemTime"];
    let mut trespassers = Vec::new();
    for (path, text) in files().iter().filter(|(path, _)| INSIDE.contains(&room(path).as_str())) {
        let code = text.lines().take_while(|line| *line != "#[cfg(test)]");
        let code = code.filter(|line| !line.trim_start().starts_with("//"));
        for line in code.filter(|line| OUTSIDE.iter().any(|word| line.contains(word))) {
            trespassers.push(format!("{}: {}", path.display(), line.trim()));
        }
    }
    assert_eq!(trespassers, Vec::<String>::new());
}

#[test]
fn every_file_begins_by_saying_what_it_is() {
    let silent: Vec<_> =
        files().into_iter().filter(|(_, text)| !text.starts_with("//! ")).map(|(path, _)| path).collect();
    assert_eq!(silent, Vec::<PathBuf>::new());
}
