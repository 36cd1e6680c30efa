//! Finds links to the pages of a search in the text of a response, while it streams. Pure.

use crate::conversation::{Citation, Event, WebPage};

/// Most bytes of text that are searched for the begin of a link.
const LONGEST_LINK: usize = 4096;

/// Finds the links of one response.
#[derive(Default)]
pub(super) struct CitationFinder {
    /// All pages that the model has been shown.
    pages: Vec<WebPage>,
    /// The latest text of the response.
    recent: String,
}

impl CitationFinder {
    /// Adds pages that the model has been shown.
    pub fn add_pages(&mut self, pages: &[WebPage]) {
        self.pages.extend_from_slice(pages);
        self.recent.clear();
    }

    /// Passes on a piece of text; a citation follows each link at once.
    pub fn text(&mut self, text: String, mut emit: impl FnMut(Event)) {
        if self.pages.is_empty() {
            return emit(Event::Text(text));
        }
        let mut begin = 0;
        for (position, character) in text.char_indices() {
            let end = position + character.len_utf8();
            if character == ')' {
                self.recent.push(character);
                if let Some(citation) = self.markdown_link() {
                    emit_text(&text, begin, end, &mut emit);
                    emit(Event::Citation(Box::new(citation)));
                    self.recent.clear();
                    begin = end;
                }
            } else {
                let ends_word = character.is_whitespace() || matches!(character, '>' | ']' | '"' | '|');
                if ends_word && let Some(citation) = self.bare_url() {
                    emit_text(&text, begin, position, &mut emit);
                    emit(Event::Citation(Box::new(citation)));
                    begin = position;
                }
                self.recent.push(character);
            }
            self.shorten();
        }
        emit_text(&text, begin, text.len(), &mut emit);
    }

    /// Ends a text: something else follows it.
    pub fn end_text(&mut self, mut emit: impl FnMut(Event)) {
        if let Some(citation) = self.bare_url() {
            emit(Event::Citation(Box::new(citation)));
        }
        self.recent.clear();
    }

    /// The link `[words](url)` at the end of the text.
    fn markdown_link(&self) -> Option<Citation> {
        let middle = self.recent.rfind("](")?;
        let (before, after) = self.recent.split_at_checked(middle)?;
        let url = after.strip_prefix("](")?.strip_suffix(')')?;
        let page = self.page(url)?;
        let words = before.rfind('[')?;
        Some(Citation { page, link: self.recent.get(words..)?.to_owned() })
    }

    /// The URL at the end of the text, with what ends a sentence.
    fn bare_url(&self) -> Option<Citation> {
        let word = self
            .recent
            .rsplit(|character: char| character.is_whitespace() || "(<[\"|".contains(character))
            .next()?;
        let url = word.trim_end_matches(['.', ',', ';', ':', '!', '?', ')', '*']);
        let page = self.page(url)?;
        Some(Citation { page, link: word.to_owned() })
    }

    fn page(&self, url: &str) -> Option<WebPage> {
        if url.is_empty() {
            return None;
        }
        let same = |page: &&WebPage| page.url.trim_end_matches('/') == url.trim_end_matches('/');
        self.pages.iter().find(same).cloned()
    }

    fn shorten(&mut self) {
        if self.recent.len() > LONGEST_LINK {
            let cut = self.recent.ceil_char_boundary(self.recent.len() - LONGEST_LINK / 2);
            self.recent.drain(..cut);
        }
    }
}

fn emit_text(text: &str, begin: usize, end: usize, emit: &mut impl FnMut(Event)) {
    if let Some(piece) = text.get(begin..end).filter(|piece| !piece.is_empty()) {
        emit(Event::Text(piece.to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn finder() -> CitationFinder {
        let page = |url: &str| WebPage { url: url.into(), title: "T".into(), text: String::new() };
        let mut finder = CitationFinder::default();
        finder.add_pages(&[
            page("https://a.example/x"),
            page("https://a.example/x/y"),
            page("https://b.example/"),
        ]);
        finder
    }

    /// The text with a mark after each citation.
    fn marked(pieces: &[&str]) -> String {
        let mut finder = finder();
        let mut marked = String::new();
        let mut emit = |event| match event {
            Event::Text(text) => marked.push_str(&text),
            Event::Citation(citation) => {
                assert!(marked.replace('^', "").ends_with(&citation.link), "{marked:?} {citation:?}");
                marked.push('^');
            }
            other => panic!("{other:?}"),
        };
        for piece in pieces {
            finder.text((*piece).to_owned(), &mut emit);
        }
        finder.end_text(&mut emit);
        marked
    }

    #[test]
    fn links_to_found_pages_are_cited_whatever_the_pieces() {
        for (text, expected) in [
            ("See [the page](https://a.example/x).", "See [the page](https://a.example/x)^."),
            (
                "[a](https://a.example/x) [b](https://b.example)",
                "[a](https://a.example/x)^ [b](https://b.example)^",
            ),
            ("At https://a.example/x/y it says", "At https://a.example/x/y^ it says"),
            ("At <https://b.example/> it says", "At <https://b.example/^> it says"),
            ("It is (https://b.example).", "It is (https://b.example).^"),
            (
                "[other](https://c.example) and https://a.example/z",
                "[other](https://c.example) and https://a.example/z",
            ),
            ("https://a.example/x", "https://a.example/x^"),
            ("no link (at all)", "no link (at all)"),
        ] {
            assert_eq!(marked(&[text]), expected);
            let pieces: Vec<String> = text.chars().map(String::from).collect();
            assert_eq!(marked(&pieces.iter().map(String::as_str).collect::<Vec<_>>()), expected);
        }
    }

    #[test]
    fn text_without_words_is_not_searched_as_a_whole() {
        let mut finder = finder();
        for text in [")", "x"] {
            finder.text(text.repeat(100_000), |_| {});
            assert!(finder.recent.len() <= LONGEST_LINK, "{}", finder.recent.len());
        }
    }

    proptest! {
        #[test]
        fn no_text_is_lost(pieces in prop::collection::vec("[\\[\\]() é]|https://b\\.example", 0..20)) {
            let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
            prop_assert_eq!(marked(&pieces).replace('^', ""), pieces.concat());
        }
    }
}
