//! The pages of the web that a candidate rests on: what was searched, what was found, and which words of the text cite it.

use serde::Serialize;
use serde_json::{Value, json};

use crate::conversation::web::WebKind;
use crate::conversation::{Citation, Event, WebRan};

/// Fields of a candidate; absent without a search or a page.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Grounding {
    #[serde(skip_serializing_if = "Option::is_none")]
    grounding_metadata: Option<GroundingMetadata>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url_context_metadata: Option<Value>,
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct GroundingMetadata {
    web_search_queries: Vec<String>,
    grounding_chunks: Vec<Value>,
    grounding_supports: Vec<Value>,
}

/// Collects the grounding of a candidate.
#[derive(Debug, Default)]
pub struct GroundingBuilder {
    queries: Vec<String>,
    /// URL and title of each page that was found.
    pages: Vec<(String, String)>,
    supports: Vec<Value>,
    /// Pages that were read, each with whether it worked.
    read: Vec<(String, bool)>,
    /// Length of the text so far in bytes, as the API counts.
    length: usize,
}

impl GroundingBuilder {
    /// Takes in an event.
    pub fn event(&mut self, event: &Event) {
        match event {
            Event::Text(text) => self.length += text.len(),
            Event::WebRan(runs) => runs.iter().for_each(|web| self.ran(web)),
            Event::Citation(citation) => self.citation(citation),
            Event::Thinking(_)
            | Event::ToolCall(_)
            | Event::ToolRan(_)
            | Event::Context(_)
            | Event::Finish(..) => {}
        }
    }

    fn ran(&mut self, web: &WebRan) {
        match web.kind {
            WebKind::Search => {
                self.queries.push(web.subject.clone());
                for page in web.outcome.iter().flatten() {
                    self.pages.push((page.url.clone(), page.title.clone()));
                }
            }
            WebKind::Fetch => self.read.push((web.subject.clone(), web.outcome.is_ok())),
        }
    }

    fn citation(&mut self, Citation { page, link }: &Citation) {
        // A page that was read has no place among those that were found.
        let Some(index) = self.pages.iter().position(|(url, _)| *url == page.url) else { return };
        self.supports.push(json!({
            "segment": {
                "startIndex": self.length.saturating_sub(link.len()),
                "endIndex": self.length,
                "text": link,
            },
            "groundingChunkIndices": [index],
        }));
    }

    /// The fields of the candidate.
    pub fn finish(self) -> Grounding {
        let GroundingBuilder { queries, pages, supports, read, .. } = self;
        let chunk = |(uri, title): &(String, String)| json!({ "web": { "uri": uri, "title": title } });
        let status = |worked: bool| if worked { "SUCCESS" } else { "ERROR" };
        let url = |(url, worked): &(String, bool)| {
            json!({
                "retrievedUrl": url,
                "urlRetrievalStatus": format!("URL_RETRIEVAL_STATUS_{}", status(*worked)),
            })
        };
        Grounding {
            grounding_metadata: (!queries.is_empty()).then(|| GroundingMetadata {
                web_search_queries: queries,
                grounding_chunks: pages.iter().map(chunk).collect(),
                grounding_supports: supports,
            }),
            url_context_metadata: (!read.is_empty())
                .then(|| json!({ "urlMetadata": read.iter().map(url).collect::<Vec<_>>() })),
        }
    }
}
