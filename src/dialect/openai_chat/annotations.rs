//! Annotations of a text: links to pages that a search has found.

use serde::Serialize;

use crate::conversation::Citation;

/// An annotation.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Annotation {
    UrlCitation { url_citation: UrlCitation },
}

/// A link, with its place in the content, counted in characters.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct UrlCitation {
    start_index: usize,
    end_index: usize,
    title: String,
    url: String,
}

impl Annotation {
    /// The annotation of a link at the end of a content of this length in characters.
    pub fn new(citation: &Citation, end_index: usize) -> Annotation {
        let Citation { page, link } = citation;
        Annotation::UrlCitation {
            url_citation: UrlCitation {
                start_index: end_index.saturating_sub(link.chars().count()),
                end_index,
                title: page.title.clone(),
                url: page.url.clone(),
            },
        }
    }
}
