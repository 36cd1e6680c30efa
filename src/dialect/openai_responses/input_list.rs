//! `GET /v1/responses/{id}/input_items`: the items that a stored response was given, page by page.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Memory;
use crate::failure::Failure;

/// Items of a page if the request doesn't say.
const DEFAULT_LIMIT: usize = 20;

/// Largest page, as in OpenAI's API.
const MAX_LIMIT: usize = 100;

/// Query of the request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Page {
    /// Number of items; 20 if absent.
    pub limit: Option<usize>,
    /// Newest first if absent.
    pub order: Order,
    /// Only items after this one.
    pub after: Option<String>,
}

/// Order of the items.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// Oldest first.
    Asc,
    /// Newest first.
    #[default]
    Desc,
}

/// Builds a page of the list.
pub fn page(mut items: Vec<Value>, page: &Page) -> Result<Value, Failure> {
    let limit = page.limit.unwrap_or(DEFAULT_LIMIT);
    if limit == 0 || limit > MAX_LIMIT {
        return Err(Failure::invalid("limit", format!("found {limit}, expected 1 to {MAX_LIMIT}")));
    }
    if page.order == Order::Desc {
        items.reverse();
    }
    if let Some(after) = &page.after {
        let Some(position) = items.iter().position(|item| item["id"] == **after) else {
            return Err(Failure::invalid(
                "after",
                format!("found `{after}`, expected the id of an input item"),
            ));
        };
        items.drain(..=position);
    }
    let has_more = items.len() > limit;
    items.truncate(limit);
    let id = |item: Option<&Value>| item.map(|item| item["id"].clone());
    Ok(json!({
        "object": "list",
        "first_id": id(items.first()),
        "last_id": id(items.last()),
        "has_more": has_more,
        "data": items,
    }))
}

/// The input items of a response as the list shows them: each with a type and an id, and messages with a list of
/// content.
pub fn complete(items: Vec<Value>, response: &str, memory: &Memory) -> Vec<Value> {
    let items = items.into_iter().enumerate();
    items
        .map(|(index, item)| {
            let Value::Object(fields) = item else { return item };
            if let Some(referenced) = reference(&fields).and_then(|id| memory.output_item(id)) {
                return referenced;
            }
            Value::Object(complete_item(fields, response, index))
        })
        .collect()
}

fn reference(fields: &Map<String, Value>) -> Option<&str> {
    let is_reference = match fields.get("type") {
        None | Some(Value::Null) => !fields.contains_key("role"),
        Some(kind) => kind == "item_reference",
    };
    fields.get("id").filter(|_| is_reference)?.as_str()
}

fn complete_item(mut fields: Map<String, Value>, response: &str, index: usize) -> Map<String, Value> {
    let kind = fields.get("type").and_then(Value::as_str).unwrap_or("message").to_owned();
    if !fields.get("id").is_some_and(Value::is_string) {
        let response = response.trim_start_matches("resp_");
        fields.insert("id".into(), format!("{}_{response}_i{index}", prefix(&kind)).into());
    }
    if kind == "message" {
        let is_output = fields.get("role").is_some_and(|role| role == "assistant");
        if let Some(Value::String(text)) = fields.get("content") {
            let content = if is_output {
                json!([{ "type": "output_text", "text": text, "annotations": [], "logprobs": [] }])
            } else {
                json!([{ "type": "input_text", "text": text }])
            };
            fields.insert("content".into(), content);
        }
        fields.entry("status").or_insert_with(|| "completed".into());
    }
    fields.insert("type".into(), kind.into());
    fields
}

fn prefix(kind: &str) -> &'static str {
    match kind {
        "message" => "msg",
        "function_call" => "fc",
        "function_call_output" => "fco",
        "reasoning" => "rs",
        "compaction" => "cmp",
        _ => "item",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(page: &Value) -> Vec<&str> {
        page["data"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect()
    }

    #[test]
    fn list_is_newest_first_and_paged() {
        let items = || ["a", "b", "c"].map(|id| json!({ "id": id })).to_vec();
        let list = |query: Page| page(items(), &query).unwrap();
        let all = list(Page::default());
        assert_eq!((ids(&all), &all["has_more"]), (vec!["c", "b", "a"], &json!(false)));
        assert_eq!((&all["first_id"], &all["last_id"]), (&json!("c"), &json!("a")));
        let ascending = Page { order: Order::Asc, limit: Some(2), after: None };
        let first = list(ascending.clone());
        assert_eq!((ids(&first), &first["has_more"]), (vec!["a", "b"], &json!(true)));
        let next = list(Page { after: Some("b".into()), ..ascending });
        assert_eq!((ids(&next), &next["has_more"]), (vec!["c"], &json!(false)));
        let none = list(Page { after: Some("a".into()), ..Page::default() });
        assert_eq!((ids(&none), &none["first_id"]), (vec![], &Value::Null));
    }

    #[test]
    fn wrong_limit_and_unknown_id_are_errors() {
        for (query, message) in [
            (Page { limit: Some(0), ..Page::default() }, "limit: found 0, expected 1 to 100"),
            (Page { limit: Some(101), ..Page::default() }, "limit: found 101, expected 1 to 100"),
            (
                Page { after: Some("x".into()), ..Page::default() },
                "after: found `x`, expected the id of an input item",
            ),
        ] {
            assert_eq!(page(vec![json!({ "id": "a" })], &query).unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn items_get_their_type_and_an_id() {
        let items = vec![
            json!({ "role": "user", "content": "Hi" }),
            json!({ "type": "function_call_output", "id": null, "call_id": "c", "output": "x" }),
            json!({ "type": "reasoning", "id": "rs_1", "summary": [] }),
        ];
        assert_eq!(
            complete(items, "resp_0f", &Memory::default()),
            [
                json!({ "role": "user", "content": [{ "type": "input_text", "text": "Hi" }], "id": "msg_0f_i0",
                        "status": "completed", "type": "message" }),
                json!({ "type": "function_call_output", "id": "fco_0f_i1", "call_id": "c", "output": "x" }),
                json!({ "type": "reasoning", "id": "rs_1", "summary": [] }),
            ]
        );
    }
}
