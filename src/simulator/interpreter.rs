//! A phase, performed: directives in, steps out, each made only when it is asked for. No time passes here.
//!
//! `answer` runs the steps: it sends the parts and waits.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::bridge::protocol::{Chat, ModelInfo, ProviderError};
use crate::conversation::{Part, Thinking, ToolCall};
use crate::simulator::dump::dump;
use crate::simulator::models::Service;
use crate::simulator::script::{Directive, UsageCounts};
use crate::simulator::stats::StatsCounter;
use crate::simulator::usage;

/// Pause between two words of a sentence for people: a stream that comes in one piece looks broken.
const READING_PACE: Duration = Duration::from_millis(30);

/// One step of a scripted response.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Sends a part.
    Say(Part),
    /// Waits for this long.
    Wait(Duration),
    /// Goes on no more.
    Hang,
    /// Ends with an error.
    Fail(ProviderError),
}

/// Context of a script besides its phase.
#[derive(Clone, Debug)]
pub struct ResponseContext {
    /// The request, as the model reads it.
    pub chat: Chat,
    /// Model that `auto` was routed to.
    pub routed_model: Option<&'static str>,
    /// Model that answers.
    pub model: ModelInfo,
    /// Counters of finished requests.
    pub counter: StatsCounter,
}

/// The steps of a phase.
pub struct PreparedResponse {
    directives: std::vec::IntoIter<Directive>,
    running: Steps,
    context: ResponseContext,
    length: usage::ResponseLength,
    ending: Ending,
    /// Cost that `cost:` names, in billionths of a credit.
    cost: Option<u64>,
}

type Steps = Box<dyn Iterator<Item = Step> + Send>;

/// End of the response after its last directive.
#[derive(Clone, Copy, Debug)]
enum Ending {
    /// With these counts.
    Scripted(UsageCounts),
    /// With the model's own count.
    Counted,
    /// With nothing more.
    Silent,
}

impl Ending {
    /// `usage:` and `cut:` apply to the end of the response, wherever in the phase they are.
    fn of(phase: &[Directive], reports_usage: bool) -> Ending {
        let scripted = phase.iter().rev().find_map(|directive| match directive {
            Directive::Usage(counts) => Some(Ending::Scripted(*counts)),
            _ => None,
        });
        scripted.unwrap_or(if reports_usage && !phase.contains(&Directive::Cut) {
            Ending::Counted
        } else {
            Ending::Silent
        })
    }
}

impl PreparedResponse {
    /// Of this phase.
    pub fn new(phase: Vec<Directive>, context: ResponseContext) -> PreparedResponse {
        let ending = Ending::of(&phase, context.model.reports_usage);
        let cost = phase.iter().rev().find_map(|directive| match directive {
            Directive::Cost(nano) => Some(*nano),
            _ => None,
        });
        let (directives, length) = (phase.into_iter(), usage::ResponseLength::default());
        PreparedResponse { directives, running: Box::new(std::iter::empty()), context, length, ending, cost }
    }

    fn steps(&self, directive: Directive) -> Steps {
        match directive {
            Directive::Say(text) => Box::new(text_by_word(text)),
            Directive::Friendly(text) => {
                Box::new(text_by_word(text).enumerate().flat_map(|(index, word)| {
                    let pause = (index > 0).then_some(Step::Wait(READING_PACE));
                    pause.into_iter().chain([word])
                }))
            }
            Directive::Units(text) => Box::new(units(text)),
            Directive::Call { tool, input } => self.call(tool, input),
            Directive::Slow { count, pause } => Box::new(
                (0..count).flat_map(move |number| [Step::Wait(pause), text_step(format!("p{number} "))]),
            ),
            Directive::Parts { count, size } => {
                Box::new((0..count).map(move |number| text_step(sized(number, size))))
            }
            Directive::Wait(pause) => one(Step::Wait(pause)),
            Directive::Hang => one(Step::Hang),
            Directive::Think(text) => one(Step::Say(Part::Thinking(Thinking::text(text)))),
            Directive::Sign(signature) => self.sign(&signature),
            Directive::Fail { code, message } => one(Step::Fail(error(code, message))),
            Directive::Dump => Box::new(text_by_word(dump(&self.context.chat).to_string())),
            Directive::Stats => {
                Box::new(text_by_word(serde_json::json!(self.context.counter.stats()).to_string()))
            }
            Directive::Configuration => {
                Box::new(text_by_word(Value::from(self.context.chat.configuration.clone()).to_string()))
            }
            Directive::Usage(_) | Directive::Cost(_) | Directive::Cut => Box::new(std::iter::empty()),
        }
    }

    /// Ends the thinking as Copilot does: one part without text.
    fn sign(&self, signature: &str) -> Steps {
        if !self.context.chat.include_encrypted_thinking {
            return Box::new(std::iter::empty());
        }
        let service = Service::of(self.context.routed_model.unwrap_or(&self.context.model.id));
        let metadata =
            json!({"encrypted_content": signature, "vscode_thinking_origin_api": service.api_name()});
        one(Step::Say(Part::Thinking(Thinking {
            id: Some("thinking_0".into()),
            metadata: metadata.as_object().cloned(),
            ..Thinking::default()
        })))
    }

    fn call(&self, tool: String, input: Value) -> Steps {
        static CALLS: AtomicU64 = AtomicU64::new(1);
        if !self.context.chat.tools.iter().any(|offered| offered.name == tool) {
            return Box::new(text_by_word(format!("no such tool: {tool}")));
        }
        let id = format!("call_{}_{}", std::process::id(), CALLS.fetch_add(1, Ordering::Relaxed));
        one(Step::Say(Part::ToolCall(ToolCall { id, name: tool, input })))
    }
}

impl Iterator for PreparedResponse {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        loop {
            if let Some(step) = self.running.next() {
                if let Step::Say(part) = &step {
                    self.length.add(part);
                }
                return Some(step);
            }
            let Some(directive) = self.directives.next() else { break };
            self.running = self.steps(directive);
        }
        if let Some(model) = self.context.routed_model.take() {
            return Some(Step::Say(usage::stateful_marker(model)));
        }
        let counts = match std::mem::replace(&mut self.ending, Ending::Silent) {
            Ending::Scripted(counts) => counts,
            Ending::Counted => self.length.counts(&self.context.chat.messages),
            Ending::Silent => return None,
        };
        let cost = self.cost.or_else(|| usage::cost(counts, &self.context.model));
        Some(Step::Say(usage::part(counts, cost)))
    }
}

fn one(step: Step) -> Steps {
    Box::new(std::iter::once(step))
}

fn text_step(text: impl Into<String>) -> Step {
    Step::Say(Part::text(text))
}

/// Cut after every space and every newline.
fn text_by_word(text: String) -> impl Iterator<Item = Step> {
    pieces(text, |rest| rest.split_inclusive([' ', '\n']).next().map_or(0, str::len))
}

/// A character outside the BMP stays whole: no string of ours holds half of one.
fn units(text: String) -> impl Iterator<Item = Step> {
    pieces(text, |rest| rest.chars().next().map_or(0, char::len_utf8))
}

/// Cut again and again after the length that is due of what is left.
fn pieces(text: String, due: fn(&str) -> usize) -> impl Iterator<Item = Step> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = text.get(at..)?;
        let piece = rest.get(..due(rest))?;
        at += piece.len();
        (!piece.is_empty()).then(|| text_step(piece))
    })
}

/// The number, cut or filled up with dots.
fn sized(number: u64, size: usize) -> String {
    let mut text = number.to_string();
    text.extend(std::iter::repeat_n('.', size.saturating_sub(text.len())));
    text.truncate(size);
    text
}

/// The parts of an error that VS Code lets through. Of the names that Copilot gives its errors, none keeps a code.
fn error(code: String, message: String) -> ProviderError {
    match code.as_str() {
        "NotFound" | "NoPermissions" | "Blocked" => {
            ProviderError { name: "LanguageModelError".into(), code: Some(code), message }
        }
        _ => ProviderError { name: code, code: None, message },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::*;
    use crate::conversation::{Message, Role, Tool};
    use crate::simulator::script::Script;

    fn context(reports_usage: bool) -> ResponseContext {
        let get = Tool { name: "get".into(), description: String::new(), input_schema: None };
        let chat = Chat {
            client: None,
            vendor: "demo".into(),
            model: "scripted-1".into(),
            messages: vec![Message::text(Role::User, "12345"), Message::text(Role::User, "1")],
            tools: vec![get],
            required: false,
            options: Map::new(),
            configuration: Map::new(),
            include_encrypted_thinking: true,
            digests: Vec::new(),
        };
        let model = ModelInfo { reports_usage, ..ModelInfo::default() };
        ResponseContext { chat, routed_model: None, model, counter: StatsCounter::default() }
    }

    fn prepared(script: &str, context: ResponseContext) -> PreparedResponse {
        let script = Script::of(&[Part::text(script)]).expect("a directive");
        PreparedResponse::new(script.phase(0).expect("a phase").to_vec(), context)
    }

    fn steps(script: &str) -> Vec<Step> {
        prepared(script, context(false)).collect()
    }

    fn text_steps<const N: usize>(texts: [&str; N]) -> Vec<Step> {
        texts.map(text_step).into()
    }

    fn joined(script: &str) -> String {
        let text = |step| if let Step::Say(Part::Text { text }) = step { text } else { String::new() };
        steps(script).into_iter().map(text).collect()
    }

    #[test]
    fn say_streams_words_that_add_up_to_the_text() {
        assert_eq!(steps(r"say:Hello, big\nworld "), text_steps(["Hello, ", "big\n", "world "]));
        assert_eq!(steps(r"say: a  é\n\nc"), text_steps([" ", "a ", " ", "é\n", "\n", "c"]));
        assert_eq!(steps("say:"), []);
    }

    #[test]
    fn units_streams_characters() {
        assert_eq!(steps("units:aé😀"), text_steps(["a", "é", "😀"]));
    }

    #[test]
    fn slow_pauses_before_each_part() {
        let pause = Step::Wait(Duration::from_millis(7));
        assert_eq!(steps("slow:2 7"), [pause.clone(), text_step("p0 "), pause, text_step("p1 ")]);
    }

    #[test]
    fn parts_are_numbered_and_have_the_given_size() {
        assert_eq!(steps("parts:2"), text_steps(["0...", "1..."]));
        assert_eq!(steps("parts:12 1")[8..], text_steps(["8", "9", "1", "1"]));
        assert_eq!(steps("parts:1 0"), text_steps([""]));
        assert_eq!(steps("parts:1 100000"), [text_step(format!("0{}", ".".repeat(99_999)))]);
    }

    #[test]
    fn parts_are_generated_on_demand() {
        let mut endless = prepared("parts:18446744073709551615 1048576", context(false));
        assert_eq!(endless.next().map(|step| matches!(step, Step::Say(_))), Some(true));
    }

    #[test]
    fn wait_hang_think_and_fail_are_steps() {
        let thought = Thinking::text("hm hm\n");
        let quota = ProviderError { name: "ChatQuotaExceeded".into(), code: None, message: "used up".into() };
        assert_eq!(
            steps("wait:5\nhang:\nthink:hm hm\\n\nfail:ChatQuotaExceeded used up"),
            [
                Step::Wait(Duration::from_millis(5)),
                Step::Hang,
                Step::Say(Part::Thinking(thought)),
                Step::Fail(quota)
            ]
        );
    }

    #[test]
    fn only_the_three_codes_of_vs_code_are_codes() {
        for code in ["NotFound", "NoPermissions", "Blocked"] {
            let (name, message) = ("LanguageModelError".into(), "no".into());
            let wanted = ProviderError { name, code: Some(code.into()), message };
            assert_eq!(steps(&format!("fail:{code} no")), [Step::Fail(wanted)]);
        }
    }

    #[test]
    fn each_call_has_a_unique_id() {
        let calls: Vec<_> = steps("call:get {\"a\":1}\ncall:get")
            .into_iter()
            .filter_map(|step| if let Step::Say(Part::ToolCall(call)) = step { Some(call) } else { None })
            .collect();
        assert_eq!(
            calls.iter().map(|call| call.input.clone()).collect::<Vec<_>>(),
            [json!({"a": 1}), json!({})]
        );
        assert!(calls.iter().all(|call| call.name == "get"));
        assert_ne!(calls[0].id, calls[1].id);
    }

    #[test]
    fn call_of_a_missing_tool_becomes_text() {
        assert_eq!(steps("call:put {}"), text_steps(["no ", "such ", "tool: ", "put"]));
    }

    #[test]
    fn dump_and_stats_are_lines_of_json() {
        let dumped: Value = serde_json::from_str(&joined("dump:")).unwrap();
        assert_eq!(dumped, dump(&context(false).chat));
        assert_eq!(joined("stats:"), r#"{"started":0,"completed":0,"failed":0,"cancelled":0,"active":0}"#);
    }

    #[test]
    fn routed_model_marker_comes_before_the_usage() {
        let routed = ResponseContext { routed_model: Some("gpt-5-codex"), ..context(true) };
        let steps: Vec<Step> = prepared("configuration:\ncost:7", routed).collect();
        let counts = UsageCounts { prompt: 3, completion: 1, cached: 0, reasoning: 0 };
        assert_eq!(
            steps,
            [
                text_step("{}"),
                Step::Say(usage::stateful_marker("gpt-5-codex")),
                Step::Say(usage::part(counts, Some(7)))
            ]
        );
    }

    #[test]
    fn signature_comes_only_if_the_request_includes_encrypted_thinking() {
        let included = |is_included| {
            let context = context(false);
            let chat = Chat { include_encrypted_thinking: is_included, ..context.chat };
            prepared("sign:s", ResponseContext { chat, ..context }).collect::<Vec<Step>>()
        };
        assert_eq!(included(false), []);
        let metadata = json!({"encrypted_content": "s", "vscode_thinking_origin_api": "chatCompletions"});
        let thinking = Thinking {
            id: Some("thinking_0".into()),
            metadata: metadata.as_object().cloned(),
            ..Thinking::default()
        };
        assert_eq!(included(true), [Step::Say(Part::Thinking(thinking))]);
    }

    #[test]
    fn stats_are_read_when_they_are_sent() {
        let context = context(false);
        let counter = context.counter.clone();
        let mut prepared = prepared("say:a\nstats:", context);
        assert_eq!(prepared.next(), Some(text_step("a")));
        counter.enter(true).completed();
        assert_eq!(
            prepared.next(),
            Some(text_step(r#"{"started":1,"completed":1,"failed":0,"cancelled":0,"active":0}"#))
        );
    }

    #[test]
    fn response_ends_with_usage_if_the_script_or_the_model_says_so() {
        let ends =
            |script, reports_usage| prepared(script, context(reports_usage)).skip(1).collect::<Vec<_>>();
        let counted = |prompt, completion, cached| {
            vec![Step::Say(usage::part(UsageCounts { prompt, completion, cached, reasoning: 0 }, None))]
        };
        assert_eq!(ends("say:hello", false), []);
        assert_eq!(ends("usage:7 5 3\nsay:hello", false), counted(7, 5, 3));
        assert_eq!(ends("usage:1 1\nsay:hello\nusage:7 5", true), counted(7, 5, 0));
        assert_eq!(ends("say:hello", true), counted(3, 2, 0));
        assert_eq!(ends("cut:\nsay:hello", true), []);
        assert_eq!(ends("say:hello\ncut:\nusage:7 5", true), counted(7, 5, 0));
    }
}
