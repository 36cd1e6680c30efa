//! Rules for the pages of documentation: links lead to files and headings that exist, pictures are small, and the README
//! begins with what a reader looks for.

use std::fs;
use std::path::{Path, PathBuf};

/// Bytes that a picture may have.
const LARGEST_PICTURE: u64 = 1_000_000;

/// The pages by people: those of the root, of `docs` and the extension's own.
fn pages() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let markdown = |folder: &Path| -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries.filter(|path| path.extension().is_some_and(|extension| extension == "md")).collect()
    };
    let mut paths =
        [root.to_owned(), root.join("docs")].iter().flat_map(|folder| markdown(folder)).collect::<Vec<_>>();
    paths.push(root.join("vscode-host/README.md"));
    assert!(paths.len() > 15, "{paths:?}");
    paths.into_iter().map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect()
}

/// The text without its blocks of code.
fn without_code(text: &str) -> String {
    text.split("```").step_by(2).collect()
}

/// The targets of links and pictures in a page.
fn targets(text: &str) -> Vec<String> {
    let text = without_code(text);
    let ends = text.split("](").skip(1);
    ends.filter_map(|end| end.split(')').next().map(str::to_owned)).collect()
}

/// The anchors of a page's headings, as GitHub makes them.
fn anchors(text: &str) -> Vec<String> {
    let text = without_code(text);
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let anchor = |heading: &str| {
        let title = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = title.chars().filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(anchor).collect()
}

#[test]
fn links_lead_to_files_and_headings_that_exist() {
    // The extension's page is shown where its neighbors are not, so that its links are whole.
    const OURS: &str = "https://github.com/copilot-proxy/copilot-proxy/";
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut broken = Vec::new();
    for (page, text) in pages() {
        for target in targets(&text) {
            let (folder, target) = match target.strip_prefix(OURS) {
                Some(ours) => match ours.split_once("/main/") {
                    Some((_, path)) => (root, path.to_owned()),
                    None => continue,
                },
                None if target.contains("://") => continue,
                None => (page.parent().unwrap(), target),
            };
            let (file, anchor) = target.split_once('#').unwrap_or((&target, ""));
            let file = if file.is_empty() { page.clone() } else { folder.join(file) };
            let has_anchor = || {
                fs::read_to_string(&file).is_ok_and(|text| anchors(&text).iter().any(|each| each == anchor))
            };
            if !file.exists() || (!anchor.is_empty() && !has_anchor()) {
                broken.push(format!("{}: {target}", page.display()));
            }
        }
    }
    assert_eq!(broken, Vec::<String>::new());
}

#[test]
fn every_page_is_reached_from_the_readme() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let linked = targets(&fs::read_to_string(root.join("README.md")).unwrap());
    // Notes of those who change the code; CONTRIBUTING.md names them.
    let internal = ["README.md", "docs/mutants.md", "vscode-host/README.md"];
    for (page, _) in pages() {
        let name = page.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        assert!(internal.contains(&name.as_str()) || linked.contains(&name), "{name}");
    }
}

#[test]
fn pictures_are_small() {
    let images = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/images");
    for entry in fs::read_dir(images).unwrap() {
        let entry = entry.unwrap();
        let bytes = entry.metadata().unwrap().len();
        assert!(bytes < LARGEST_PICTURE, "{}: {bytes} bytes", entry.path().display());
    }
}

#[test]
fn readme_begins_with_the_commands_for_developers_and_keeps_its_order() {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let first_screen = readme.lines().take(10).collect::<Vec<_>>().join("\n");
    for command in ["cargo run --release -- demo", "make test"] {
        assert!(first_screen.contains(command), "{command}");
    }
    let headings: Vec<&str> = readme.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    let begins = ["Install", "60 seconds to a first answer", "Clients", "Questions", "Comparison"];
    assert_eq!(headings.get(..begins.len()), Some(&begins[..]));
}
