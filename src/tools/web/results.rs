//! Reads the pages that a search has found out of the text of its result: JSON, labelled lines, Markdown links or bare
//! URLs, as search tools write them. Pure.

use serde_json::Value;

use crate::conversation::WebPage;
use crate::conversation::web::host;

/// Most pages of a result: more than any search tool returns.
const MOST_PAGES: usize = 100;

/// Most characters of a page's extract.
const LONGEST_EXTRACT: usize = 2000;

/// The pages in a result, each once, in its order.
pub fn pages(result: &str) -> Vec<WebPage> {
    let mut found = Vec::new();
    if let Some(value) = parse(result) {
        of_json(&value, &mut found);
    }
    // Some tools write one JSON object for each page, or some words before the JSON.
    if found.is_empty() {
        result.lines().filter_map(parse).for_each(|value| of_json(&value, &mut found));
    }
    if found.is_empty()
        && let Some(value) = result.find(['{', '[']).and_then(|begin| parse(result.get(begin..)?))
    {
        of_json(&value, &mut found);
    }
    if found.is_empty() {
        of_lines(result, &mut found);
    }
    let mut unique: Vec<WebPage> = Vec::new();
    for mut page in found {
        if unique.len() == MOST_PAGES {
            break;
        }
        if unique.iter().all(|known| known.url != page.url) {
            page.title = cleaned(&page.title);
            if page.title.is_empty() {
                host(&page.url).clone_into(&mut page.title);
            }
            page.text = page.text.trim().chars().take(LONGEST_EXTRACT).collect();
            unique.push(page);
        }
    }
    unique
}

/// A JSON object or list.
fn parse(text: &str) -> Option<Value> {
    let text = text.trim();
    let value = text.starts_with(['{', '[']).then(|| serde_json::from_str::<Value>(text))?.ok()?;
    (value.is_object() || value.is_array()).then_some(value)
}

/// The title of a page that was read: its first heading or `Title:` line.
pub fn title_of_page(text: &str) -> String {
    let title = text.lines().take(40).find_map(|line| {
        let line = line.trim();
        line.strip_prefix("# ").or_else(|| match labelled(line) {
            Some((Label::Title, title)) => Some(title),
            _ => None,
        })
    });
    title.map(cleaned).unwrap_or_default()
}

/// Every object that has a URL is a page.
fn of_json(value: &Value, found: &mut Vec<WebPage>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| of_json(value, found)),
        Value::Object(fields) => {
            let text = |names: &[&str]| {
                names
                    .iter()
                    .find_map(|name| fields.get(*name)?.as_str())
                    .map(str::to_owned)
                    .unwrap_or_default()
            };
            let url = text(&["url", "link", "href", "uri"]);
            if is_url(&url) {
                let title = text(&["title", "name", "heading"]);
                let text =
                    text(&["snippet", "description", "content", "summary", "text", "body", "abstract"]);
                found.push(WebPage { url, title, text });
            } else {
                fields.values().for_each(|value| of_json(value, found));
            }
        }
        // Results of some servers are JSON in a string.
        Value::String(text) => parse(text).iter().for_each(|value| of_json(value, found)),
        _ => {}
    }
}

enum Label {
    Title,
    Url,
    Other,
}

/// A page that lines are added to.
#[derive(Default)]
struct Growing {
    page: WebPage,
    /// The last line before it has a URL: its title, unless a label says another.
    line_before: String,
}

impl Growing {
    /// The line before the next page's URL: it is no text of this one.
    fn take_title(&mut self) -> String {
        let title = std::mem::take(&mut self.line_before);
        if let Some(text) = self.page.text.strip_suffix(&title) {
            self.page.text.truncate(text.len());
        }
        title
    }

    fn end(&mut self, found: &mut Vec<WebPage>) {
        let Growing { page, .. } = std::mem::take(self);
        if !page.url.is_empty() {
            found.push(page);
        }
    }
}

fn of_lines(result: &str, found: &mut Vec<WebPage>) {
    let mut growing = Growing::default();
    for line in result.lines().map(str::trim) {
        match labelled(line) {
            Some((Label::Title, title)) => {
                growing.end(found);
                title.clone_into(&mut growing.page.title);
            }
            Some((Label::Url, url)) if is_url(first_word(url)) => {
                if !growing.page.url.is_empty() {
                    let title = growing.take_title();
                    growing.end(found);
                    growing.page.title = title;
                }
                if growing.page.title.is_empty() {
                    growing.page.title = std::mem::take(&mut growing.line_before);
                }
                first_word(url).clone_into(&mut growing.page.url);
            }
            Some((Label::Other, text)) => add(&mut growing.page.text, text),
            _ => unlabelled(line, &mut growing, found),
        }
    }
    growing.end(found);
}

fn unlabelled(line: &str, growing: &mut Growing, found: &mut Vec<WebPage>) {
    let links = markdown_links(line);
    if !links.is_empty() {
        growing.end(found);
        for (title, url) in links {
            growing.end(found);
            growing.page = WebPage { url: url.to_owned(), title: title.to_owned(), text: String::new() };
        }
        return;
    }
    let url = line.split_whitespace().find_map(url_in);
    match url {
        Some(url) if growing.page.url.is_empty() && !growing.page.title.is_empty() => {
            url.clone_into(&mut growing.page.url);
        }
        Some(url) => {
            let before = line.split_once(url).map(|(before, _)| before).unwrap_or_default();
            let before = cleaned(before.trim_end_matches(['(', '<', ' ', '-', ':', '–']));
            let title = if before.is_empty() { growing.take_title() } else { before };
            growing.end(found);
            growing.page = WebPage { url: url.to_owned(), title, text: String::new() };
        }
        None => {
            if !growing.page.url.is_empty() {
                add(&mut growing.page.text, line);
            }
            if !line.is_empty() {
                line.clone_into(&mut growing.line_before);
            }
        }
    }
}

fn add(text: &mut String, line: &str) {
    if line.is_empty() {
        return;
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text.push_str(line);
}

/// A line like `Title: ...` or `**URL:** ...`, also with a number before it.
fn labelled(line: &str) -> Option<(Label, &str)> {
    let line = line.trim_start_matches(|character: char| {
        character.is_ascii_digit() || matches!(character, '-' | '*' | '.' | ')' | ' ' | '[' | ']' | '#')
    });
    let (label, rest) = line.split_once(':')?;
    let label = label.trim_matches(['*', ' ', '_']).to_ascii_lowercase();
    let rest = rest.trim_start_matches(['*', ' ', '_']).trim();
    let label = match label.as_str() {
        "title" | "name" => Label::Title,
        "url" | "link" | "href" | "source" | "uri" => Label::Url,
        "description" | "snippet" | "summary" | "content" | "text" | "highlights" | "extract" => Label::Other,
        _ => return None,
    };
    Some((label, rest))
}

/// The links `[title](url)` of a line.
fn markdown_links(line: &str) -> Vec<(&str, &str)> {
    let mut links = Vec::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("](") {
        let Some((url, next)) = after.split_once(')') else { break };
        let title = before.rsplit_once('[').map(|(_, title)| title);
        if let Some(title) = title.filter(|_| is_url(url)) {
            links.push((title, url));
        }
        rest = next;
    }
    links
}

fn first_word(text: &str) -> &str {
    text.trim_start_matches('<').split([' ', '>', ')', '\t']).next().unwrap_or_default()
}

/// The URL that begins in a word.
fn url_in(word: &str) -> Option<&str> {
    let begin = word.find("https://").or_else(|| word.find("http://"))?;
    let url = word.get(begin..)?.split(['>', ')', ']', '"', '|']).next()?.trim_end_matches(['.', ',', ';']);
    is_url(url).then_some(url)
}

fn is_url(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/')) && !text.contains(char::is_whitespace)
}

/// A title without list numbers and marks of Markdown.
fn cleaned(title: &str) -> String {
    let title = title.trim().trim_start_matches(['#', '*', '-', ' ', '[']);
    let number =
        title.find(|character: char| !character.is_ascii_digit()).and_then(|end| title.split_at_checked(end));
    let title = match number {
        Some((number, rest)) if !number.is_empty() => rest
            .strip_prefix(". ")
            .or_else(|| rest.strip_prefix(") "))
            .or_else(|| rest.strip_prefix("] "))
            .unwrap_or(title),
        _ => title,
    };
    title.trim_matches(['*', ' ', '_', ':']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(result: &str, expected: &[(&str, &str, &str)]) {
        let found = pages(result);
        let found: Vec<(&str, &str, &str)> =
            found.iter().map(|page| (page.url.as_str(), page.title.as_str(), page.text.as_str())).collect();
        assert_eq!(found, expected, "{result}");
    }

    const A: (&str, &str, &str) = ("https://a.example/x", "First", "About a");
    const B: (&str, &str, &str) = ("https://b.example", "Second", "About b");

    #[test]
    fn json_of_any_form_is_read() {
        for result in [
            r#"{"results":[{"title":"First","url":"https://a.example/x","content":"About a"},{"title":"Second","url":"https://b.example","content":"About b"}]}"#,
            r#"{"searchParameters":{"q":"x"},"organic":[{"title":"First","link":"https://a.example/x","snippet":"About a"},{"title":"Second","link":"https://b.example","snippet":"About b"}]}"#,
            "{\"url\":\"https://a.example/x\",\"title\":\"First\",\"description\":\"About a\"}\n{\"url\":\"https://b.example\",\"title\":\"Second\",\"description\":\"About b\"}",
            "Found 2 results:\n[{\"name\":\"First\",\"href\":\"https://a.example/x\",\"body\":\"About a\"},\n {\"name\":\"Second\",\"href\":\"https://b.example\",\"body\":\"About b\"}]",
            r#"["{\"title\":\"First\",\"url\":\"https://a.example/x\",\"text\":\"About a\"}","{\"title\":\"Second\",\"url\":\"https://b.example\",\"text\":\"About b\"}"]"#,
        ] {
            check(result, &[A, B]);
        }
    }

    #[test]
    fn lines_of_any_form_are_read() {
        for result in [
            "Title: First\nURL: https://a.example/x\nText: About a\n\nTitle: Second\nURL: https://b.example\nText: About b",
            "Title: First\nDescription: About a\nURL: https://a.example/x\n\nTitle: Second\nDescription: About b\nURL: https://b.example",
            "Found 2 search results:\n\n1. First\n   URL: https://a.example/x\n   Summary: About a\n\n2. Second\n   URL: https://b.example\n   Summary: About b\n",
            "- [First](https://a.example/x)\n  About a\n- [Second](https://b.example)\n  About b",
            "**Title:** First\n**URL:** <https://a.example/x>\nAbout a\n**Title:** Second\n**Link:** https://b.example\nAbout b",
            "First - https://a.example/x\nAbout a\nSecond (https://b.example)\nAbout b",
        ] {
            check(result, &[A, B]);
        }
    }

    #[test]
    fn page_without_a_title_has_its_host_and_comes_once() {
        check("https://a.example/x\nhttps://a.example/x", &[("https://a.example/x", "a.example", "")]);
        check("no results were found", &[]);
        check("", &[]);
        check("{}", &[]);
    }

    #[test]
    fn title_of_a_page_is_its_heading() {
        assert_eq!(title_of_page("Contents of x\n# The Title\ntext"), "The Title");
        assert_eq!(title_of_page("Title: The Title\n\ntext"), "The Title");
        assert_eq!(title_of_page("text"), "");
    }
}
