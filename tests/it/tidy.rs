//! Rules that a compiler doesn't check: dependencies between modules, heads of files, and the words of the prose.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Each module of the crate and the modules it may use. Dependencies point one way: `conversation` and `failure` use
/// nothing of ours, and a module that is missing here may use nothing either.
const MAY_USE: &[(&str, &[&str])] = &[
    ("main", &["allocator", "commands", "log", "options"]),
    (
        "commands",
        &[
            "bridge",
            "dialect",
            "keys",
            "mcp",
            "models",
            "options",
            "port_holder",
            "server",
            "simulator",
            "usage_db",
        ],
    ),
    (
        "server",
        &[
            "allocator",
            "bridge",
            "budgets",
            "completion",
            "failure",
            "http",
            "keys",
            "log",
            "models",
            "options",
            "port_holder",
            "prompt_prefix",
            "request_log",
            "tools",
            "usage_db",
        ],
    ),
    (
        "http",
        &[
            "auto_mode",
            "blocking",
            "bridge",
            "budgets",
            "completion",
            "conversation",
            "dialect",
            "failure",
            "keys",
            "log",
            "mcp",
            "models",
            "options",
            "request_log",
            "tools",
            "usage_db",
        ],
    ),
    // Of the dialects only the request fields that are ours: how many rounds a client allows.
    ("auto_mode", &["bridge", "completion", "conversation", "dialect", "failure", "tools"]),
    (
        "completion",
        &[
            "blocking",
            "bridge",
            "budgets",
            "conversation",
            "failure",
            "keys",
            "log",
            "models",
            "prompt_prefix",
            "tokens",
            "tools",
            "transcript",
        ],
    ),
    ("blocking", &["allocator", "failure"]),
    ("bridge", &["conversation", "failure"]),
    ("dialect", &["conversation", "failure"]),
    ("mcp", &["conversation"]),
    ("prompt_prefix", &["bridge", "conversation"]),
    ("simulator", &["bridge", "conversation", "tokens"]),
    ("models", &["bridge", "conversation", "failure", "keys"]),
    ("tools", &["bridge", "conversation", "failure", "models"]),
    ("tokens", &["conversation"]),
    ("transcript", &["conversation"]),
    // Runs pure code of any module, in tests and fuzzers only.
    ("fuzzing", &["bridge", "commands", "completion", "conversation", "dialect", "simulator", "transcript"]),
    ("budgets", &["bridge", "conversation", "failure", "keys", "log", "usage_db"]),
    ("request_log", &["bridge", "budgets", "conversation", "failure", "keys", "log", "usage_db"]),
    ("usage_db", &["conversation", "log"]),
    ("log", &["bridge"]),
    ("options", &["bridge", "usage_db"]),
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
fn modules_use_only_allowed_modules() {
    let mut violations = Vec::new();
    for (path, text) in files() {
        // Tests may use any module.
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
    const PURE_FILES: &[&str] = &["models/resolve.rs", "models/model_name.rs", "tools/selection.rs"];
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

/// Words with a plain or standard term that the project uses instead.
const BANNED_WORDS: &[&str] = &[
    "anew",
    "door",
    "doors",
    "everybody",
    "heard",
    "hears",
    "nobody",
    "overheard",
    "patience",
    "patiently",
    "reception",
    "somebody",
    "stranger",
    "strangers",
    "telling",
    "whereabouts",
    "whoever",
];

/// Beginnings of a comment that ask instead of saying what the item is or does.
const BANNED_OPENINGS: &[&str] = &["What", "Who", "Whose", "Whom", "Where", "How", "Which"];

/// The prose of one line: a comment, the title of a test, or a line of Markdown.
struct Prose<'a> {
    text: &'a str,
    /// It begins a comment, which must say what the item is or does.
    is_opening: bool,
}

/// The prose in a file, by the number of its line. Texts of programs are left out, as is code in Markdown.
fn prose<'a>(path: &Path, text: &'a str) -> Vec<(usize, Prose<'a>)> {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    let mut found = Vec::new();
    let (mut is_continued, mut is_code) = (false, false);
    for (number, line) in text.lines().enumerate().map(|(index, line)| (index + 1, line.trim())) {
        let comment = match extension {
            "md" => {
                is_code ^= line.starts_with("```");
                if !is_code {
                    found.push((number, Prose { text: line, is_opening: false }));
                }
                continue;
            }
            "py" | "sh" | "yml" => line.strip_prefix("# ").or_else(|| line.strip_prefix("\"\"\"")),
            _ => ["/// ", "//! ", "// ", "/** ", "/* ", "* "].iter().find_map(|mark| line.strip_prefix(mark)),
        };
        let behind_code = if extension == "py" { " # " } else { " // " };
        if let Some(text) = comment {
            found.push((number, Prose { text, is_opening: !is_continued }));
        } else if let Some((_, text)) = line.split_once(behind_code) {
            found.push((number, Prose { text, is_opening: true }));
        }
        is_continued = comment.is_some();
        let title = line
            .split_once("def test_")
            .or_else(|| line.split_once("fn ").filter(|_| extension == "rs"))
            .or_else(|| line.split_once("test(\"").filter(|_| extension != "rs"))
            .or_else(|| line.split_once("test(`").filter(|_| extension != "rs"));
        if let Some((_, title)) = title {
            found.push((number, Prose { text: title, is_opening: false }));
        }
    }
    found
}

/// All files with prose, with their path in the project.
fn files_with_prose() -> Vec<(PathBuf, String)> {
    fn walk(directory: &Path, files: &mut Vec<PathBuf>) {
        const GENERATED: &[&str] = &["target", "node_modules", "out", "dist", "bin", "__pycache__"];
        const EXTENSIONS: &[&str] = &["rs", "ts", "js", "mjs", "css", "py", "sh", "yml", "md"];
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
            if path.is_dir() && !GENERATED.contains(&name) && name != ".git" {
                walk(&path, files);
            } else if EXTENSIONS.contains(&extension) && name != "tidy.rs" {
                files.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    walk(root, &mut found);
    assert!(found.len() > 400, "{found:?}");
    let read =
        |path: PathBuf| (path.strip_prefix(root).unwrap().to_owned(), fs::read_to_string(&path).unwrap());
    found.into_iter().map(read).collect()
}

#[test]
fn prose_uses_standard_terms() {
    let mut violations = Vec::new();
    for (path, text) in files_with_prose() {
        for (number, Prose { text, is_opening }) in prose(&path, &text) {
            let mut words = text.split(|c: char| !c.is_alphabetic());
            let first = words.clone().next().unwrap_or_default();
            if is_opening && BANNED_OPENINGS.contains(&first) {
                violations.push(format!("{}:{number}: begins with {first}", path.display()));
            }
            if let Some(word) = words.find(|word| BANNED_WORDS.contains(&word.to_lowercase().as_str())) {
                violations.push(format!("{}:{number}: {word}", path.display()));
            }
        }
    }
    assert!(violations.is_empty(), "{} violations:\n{}", violations.len(), violations.join("\n"));
}

#[test]
fn prose_is_found_in_comments_titles_and_markdown() {
    let texts = |path: &str, text: &str| -> Vec<(usize, String, bool)> {
        let found = prose(Path::new(path), text);
        found.into_iter().map(|(number, prose)| (number, prose.text.to_owned(), prose.is_opening)).collect()
    };
    assert_eq!(
        texts("a.rs", "/// One\n/// two.\nfn three() {\n    let x = \"four\"; // five"),
        [
            (1, "One".to_owned(), true),
            (2, "two.".to_owned(), false),
            (3, "three() {".to_owned(), false),
            (4, "five".to_owned(), true)
        ]
    );
    assert_eq!(
        texts("a.test.ts", "/** One. */\ntest(\"two\", async () => {"),
        [(1, "One. */".to_owned(), true), (2, "two\", async () => {".to_owned(), false)]
    );
    assert_eq!(
        texts("a.py", "def test_one():\n    \"\"\"Two.\"\"\"\n    x = 3  # four"),
        [(1, "one():".to_owned(), false), (2, "Two.\"\"\"".to_owned(), true), (3, "four".to_owned(), true)]
    );
    assert_eq!(texts("a.md", "One\n```\ntwo\n```")[0], (1, "One".to_owned(), false));
    assert_eq!(texts("a.md", "```\ntwo\n```"), [(3, "```".to_owned(), false)]);
}

#[test]
fn allowed_dependencies_have_no_cycle() {
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

/// The module that a path names: the longest beginning of it that is a file.
fn module_of(path: &[String], modules: &BTreeSet<Vec<String>>) -> Option<Vec<String>> {
    (1..=path.len()).rev().map(|length| path[..length].to_vec()).find(|path| modules.contains(path))
}

/// The names that each module re-exports from a module inside it, as paths, with the module that defines them.
fn re_exports(modules: &[(Vec<String>, String)]) -> BTreeMap<Vec<String>, Vec<String>> {
    let mut re_exports = BTreeMap::new();
    for (module, text) in modules {
        for statement in text.split("pub use ").skip(1) {
            let statement = statement.split(';').next().unwrap_or_default();
            let Some((inner, names)) = statement.split_once("::") else { continue };
            for name in names.trim_matches(['{', '}']).split(',').map(str::trim) {
                let exported = [module.clone(), vec![name.to_owned()]].concat();
                re_exports.insert(exported, [module.clone(), vec![inner.to_owned()]].concat());
            }
        }
    }
    re_exports
}

/// The paths below `crate`, `super` and `self` in a file's code, each from the crate's root.
fn used_paths(module: &[String], text: &str) -> Vec<Vec<String>> {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    let code: Vec<&str> =
        code.lines().map(|line| line.split("//").next().unwrap_or_default().trim()).collect();
    let code = code.join(" ");
    let mut paths = Vec::new();
    for (root, up) in [("crate::", module.len()), ("super::", 1), ("self::", 0)] {
        for (at, _) in code.match_indices(root) {
            let is_word =
                code[..at].chars().next_back().is_none_or(|c| !c.is_alphanumeric() && c != '_' && c != ':');
            if !is_word {
                continue;
            }
            let rest = &code[at + root.len()..];
            let end = rest.find(|c: char| !c.is_alphanumeric() && !"_:".contains(c)).unwrap_or(rest.len());
            let base = module[..module.len() - up].to_vec();
            let split = |path: &str| -> Vec<String> {
                path.split("::").filter(|part| !part.is_empty()).map(str::to_owned).collect()
            };
            let prefix = [base, split(&rest[..end])].concat();
            match rest[end..].strip_prefix('{') {
                Some(list) => {
                    let list = list.split(['}', ';']).next().unwrap_or_default();
                    paths.extend(
                        list.split([',', '{']).map(|item| [prefix.clone(), split(item.trim())].concat()),
                    );
                }
                None => paths.push(prefix),
            }
        }
    }
    paths
}

#[test]
fn files_have_no_cyclic_dependencies() {
    let modules: Vec<(Vec<String>, String)> = files()
        .into_iter()
        .filter(|(path, _)| !path.ends_with("main.rs") && !path.ends_with("lib.rs"))
        .filter(|(path, _)| !path.iter().any(|part| part == "tests" || part == "tests.rs"))
        .map(|(path, text)| {
            let path = path.with_extension("");
            (path.iter().map(|part| part.to_str().unwrap().to_owned()).collect(), text)
        })
        .collect();
    let names: BTreeSet<Vec<String>> = modules.iter().map(|(module, _)| module.clone()).collect();
    let re_exports = re_exports(&modules);
    // `super::Name` is a use of the sibling that defines the name, whichever module re-exports it.
    let defining = |path: Vec<String>| {
        let exported = (1..=path.len()).find_map(|length| re_exports.get(&path[..length]));
        module_of(exported.unwrap_or(&path), &names)
    };
    let uses: BTreeMap<Vec<String>, BTreeSet<Vec<String>>> = modules
        .iter()
        .map(|(module, text)| {
            let used = used_paths(module, text).into_iter().filter_map(defining);
            // A module and its submodules count as one.
            let others = used.filter(|used| !used.starts_with(module) && !module.starts_with(used));
            (module.clone(), others.collect())
        })
        .collect();
    fn visit(
        module: &Vec<String>,
        uses: &BTreeMap<Vec<String>, BTreeSet<Vec<String>>>,
        path: &mut Vec<String>,
        done: &mut BTreeSet<Vec<String>>,
    ) {
        let name = module.join("/");
        assert!(!path.contains(&name), "a cycle: {} -> {name}", path.join(" -> "));
        if !done.insert(module.clone()) {
            return;
        }
        path.push(name);
        for used in &uses[module] {
            visit(used, uses, path, done);
        }
        path.pop();
    }
    assert!(uses.values().map(BTreeSet::len).sum::<usize>() > 300, "imports are found");
    for module in uses.keys() {
        visit(module, &uses, &mut Vec::new(), &mut BTreeSet::new());
    }
}
