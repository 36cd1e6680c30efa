//! Filters over the events of a response, compared with naive ones that see the whole response at once.

use serde_json::Value;

use super::source::Source;
use crate::completion::filter::Filter;
use crate::completion::json_output::JsonOutput;
use crate::completion::stop_sequences::StopSequences;
use crate::conversation::{Event, Finish, Thinking, ToolCall, Usage};

/// Stop sequences: found wherever the text is cut, the first complete one, the longer of two.
pub fn stop_sequences(data: &[u8]) {
    let mut source = Source(data);
    let sequences: Vec<String> = (0..source.below(4)).map(|_| source.text()).collect();
    let events = events(&mut source);
    let found = run(&mut StopSequences::new(sequences.clone()), events.clone());
    assert_eq!(found, naive_stop(&sequences, &events));
}

/// Looks at each prefix of each stretch of text, and at each sequence.
fn naive_stop(sequences: &[String], events: &[Event]) -> Vec<Event> {
    let mut out = Vec::new();
    for event in joined(events.to_vec()) {
        let Event::Text(text) = &event else {
            out.push(event);
            continue;
        };
        let hit = (1..=text.len()).filter(|end| text.is_char_boundary(*end)).find_map(|end| {
            let complete = |sequence: &&String| !sequence.is_empty() && text[..end].ends_with(*sequence);
            let longest = sequences.iter().filter(complete).max_by_key(|sequence| sequence.len())?;
            Some((end - longest.len(), longest))
        });
        if let Some((start, sequence)) = hit {
            out.push(Event::Text(text[..start].to_owned()));
            out.push(Event::Finish(Finish::StopSequence(sequence.clone()), Usage::default()));
            return joined(out);
        }
        out.push(event);
    }
    joined(out)
}

/// JSON output: the input of the output tool's first call is the text, and without a call the text stays.
pub fn json_output(data: &[u8]) {
    let mut source = Source(data);
    let tool = source.text();
    let events = events(&mut source);
    let found = run(&mut JsonOutput::new(tool.clone()), events.clone());
    let is_output = |event: &Event| matches!(event, Event::ToolCall(call) if call.name == tool);
    let calls = |events: &[Event]| events.iter().filter(|event| matches!(event, Event::ToolCall(_))).count();
    let outputs = events.iter().filter(|event| is_output(event)).count();
    assert!(!found.iter().any(is_output), "the call of the output tool reaches the client");
    assert_eq!(calls(&found), calls(&events) - outputs, "a call is lost");
    assert!(matches!(found.last(), Some(Event::Finish(..))));
    if let Some(Event::ToolCall(call)) = events.iter().find(|event| is_output(event)) {
        let text = call.input.to_string();
        assert!(found.iter().any(|event| matches!(event, Event::Text(found) if found.contains(&text))));
    } else {
        assert_eq!(text_of(&found), text_of(&events), "text is lost");
    }
}

fn events(source: &mut Source<'_>) -> Vec<Event> {
    let mut events = Vec::new();
    while !source.0.is_empty() {
        events.push(match source.below(8) {
            0 => Event::Thinking(Thinking::text(source.text())),
            1 => {
                let (id, name) = (source.text(), source.text());
                Event::ToolCall(ToolCall { id, name, input: Value::Object(source.object(2)) })
            }
            _ => Event::Text(source.text()),
        });
    }
    events.push(Event::Finish(Finish::Stop, Usage::default()));
    events
}

fn run(filter: &mut impl Filter, events: Vec<Event>) -> Vec<Event> {
    let mut out = Vec::new();
    for event in events {
        if filter.event(event, &mut out).is_break() {
            break;
        }
    }
    joined(out)
}

/// Joins neighbouring texts and leaves empty ones out: where a text is cut means nothing.
fn joined(events: Vec<Event>) -> Vec<Event> {
    let mut joined: Vec<Event> = Vec::new();
    for event in events {
        match (joined.last_mut(), event) {
            (_, Event::Text(text)) if text.is_empty() => {}
            (Some(Event::Text(before)), Event::Text(text)) => before.push_str(&text),
            (_, event) => joined.push(event),
        }
    }
    joined
}

fn text_of(events: &[Event]) -> String {
    let texts = events.iter().filter_map(|event| match event {
        Event::Text(text) => Some(text.as_str()),
        _ => None,
    });
    texts.collect()
}
