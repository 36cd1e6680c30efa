//! The scripted models' language, read: a message's directives, cut into phases. Pure.
//!
//! `interpreter` runs directives; `select_phase` finds the script that answers a conversation.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::bridge::frames::MAX_MESSAGE;
use crate::conversation::Part;

/// One instruction to a scripted model.
#[derive(Clone, Debug, PartialEq)]
pub enum Directive {
    /// `say:TEXT`: streams it in words.
    Say(String),
    /// Streams a sentence for people, word by word at a pace to read. No script has it: it is the reply to messages
    /// without a directive.
    Friendly(String),
    /// `units:TEXT`: streams it character by character.
    Units(String),
    /// `call:TOOL {JSON}`: calls the tool.
    Call {
        /// Name of the tool.
        tool: String,
        /// Arguments of the call.
        input: Value,
    },
    /// `slow:N MS`: numbered parts with a pause before each.
    Slow {
        /// Number of parts.
        count: u64,
        /// Pause before each part.
        pause: Duration,
    },
    /// `parts:N SIZE`: numbered parts of one size, without a pause.
    Parts {
        /// Number of parts.
        count: u64,
        /// Of each, in bytes.
        size: usize,
    },
    /// `wait:MS`: waits.
    Wait(Duration),
    /// `hang:`: never goes on.
    Hang,
    /// `think:TEXT`: thinks it.
    Think(String),
    /// `sign:SIGNATURE`: ends the thinking with this opaque value, if the request includes encrypted thinking.
    Sign(String),
    /// `usage:PROMPT COMPLETION [CACHED]`: ends the answer with these counts.
    Usage(UsageCounts),
    /// `cut:`: ends the answer without counts.
    Cut,
    /// `fail:CODE MESSAGE`: fails.
    Fail {
        /// A code or name.
        code: String,
        /// Message of the error.
        message: String,
    },
    /// `dump:`: streams the request as the model got it.
    Dump,
    /// `configuration:`: streams the `configuration` of the request, as one line of JSON.
    Configuration,
    /// `cost:NANO`: the usage part that ends the answer names this cost, in billionths of a credit.
    Cost(u64),
    /// `stats:`: streams the counters of finished requests.
    Stats,
}

/// Usage of a response, in tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UsageCounts {
    /// Of the input.
    pub prompt: u64,
    /// Of the answer.
    pub completion: u64,
    /// Of the input, read from a cache.
    pub cached: u64,
    /// Of the answer, thought.
    pub reasoning: u64,
}

/// All the directives of one message, cut into phases by `then:`.
#[derive(Clone, Debug, PartialEq)]
pub struct Script {
    phases: Vec<Vec<Directive>>,
}

impl Script {
    /// The script that these parts of one message make; `None` if no line of their texts is a directive.
    pub fn of<'a>(parts: impl IntoIterator<Item = &'a Part>) -> Option<Script> {
        let (mut phases, mut phase) = (Vec::new(), Vec::new());
        for part in parts {
            let Part::Text { text } = part else { continue };
            for line in text.lines().filter_map(read) {
                match line {
                    Line::Directive(directive) => phase.push(directive),
                    Line::Then => phases.push(std::mem::take(&mut phase)),
                }
            }
        }
        phases.push(phase);
        phases.iter().any(|phase| !phase.is_empty()).then_some(Script { phases })
    }

    /// A phase, counted from 0, if the script goes that far.
    pub fn phase(&self, number: usize) -> Option<&[Directive]> {
        self.phases.get(number).map(Vec::as_slice)
    }

    /// Whether the script has a `stats:` anywhere.
    pub fn asks_for_stats(&self) -> bool {
        self.phases.iter().flatten().any(|directive| *directive == Directive::Stats)
    }
}

/// A line that means something.
enum Line {
    Directive(Directive),
    Then,
}

/// Reads a line. One whose argument is not what the directive takes (`usage: see below`) is none: people and
/// agents write such lines without meaning us.
fn read(line: &str) -> Option<Line> {
    let (name, argument) = line.trim_start_matches(' ').split_once(':')?;
    let directive = match name {
        "then" => return argument.trim_matches(' ').is_empty().then_some(Line::Then),
        "say" => Directive::Say(unescaped(argument)),
        "units" => Directive::Units(unescaped(argument)),
        "think" => Directive::Think(unescaped(argument)),
        "sign" => Directive::Sign(argument.trim().into()),
        "call" => {
            let (tool, json) = word_and_rest(argument)?;
            Directive::Call { tool: tool.into(), input: arguments(json) }
        }
        "fail" => {
            let (code, message) = word_and_rest(argument)?;
            Directive::Fail { code: code.into(), message: unescaped(message) }
        }
        "slow" => match *numbers(argument)?.as_slice() {
            [count] => Directive::Slow { count, pause: Duration::from_millis(100) },
            [count, pause] => Directive::Slow { count, pause: Duration::from_millis(pause) },
            _ => return None,
        },
        "parts" => match *numbers(argument)?.as_slice() {
            [count] => Directive::Parts { count, size: 4 },
            [count, size] => Directive::Parts { count, size: size_of_a_part(size)? },
            _ => return None,
        },
        "wait" => match *numbers(argument)?.as_slice() {
            [pause] => Directive::Wait(Duration::from_millis(pause)),
            _ => return None,
        },
        "cost" => match *numbers(argument)?.as_slice() {
            [nano] => Directive::Cost(nano),
            _ => return None,
        },
        "usage" => match *numbers(argument)?.as_slice() {
            [prompt, completion] => {
                Directive::Usage(UsageCounts { prompt, completion, ..UsageCounts::default() })
            }
            [prompt, completion, cached] => {
                Directive::Usage(UsageCounts { prompt, completion, cached, ..UsageCounts::default() })
            }
            _ => return None,
        },
        "hang" => Directive::Hang,
        "cut" => Directive::Cut,
        "dump" => Directive::Dump,
        "configuration" => Directive::Configuration,
        "stats" => Directive::Stats,
        _ => return None,
    };
    Some(Line::Directive(directive))
}

fn word_and_rest(argument: &str) -> Option<(&str, &str)> {
    let argument = argument.trim_start();
    let (word, rest) = argument.split_once(char::is_whitespace).unwrap_or((argument, ""));
    (!word.is_empty()).then_some((word, rest.trim_start()))
}

/// As Copilot reads a call whose arguments are no JSON: `{}`.
fn arguments(json: &str) -> Value {
    serde_json::from_str(json).unwrap_or_else(|_| Map::new().into())
}

fn numbers(argument: &str) -> Option<Vec<u64>> {
    argument.split_whitespace().map(|number| number.parse().ok()).collect()
}

/// Parts are made in memory: none is larger than the largest message.
fn size_of_a_part(size: u64) -> Option<usize> {
    usize::try_from(size).ok().filter(|size| *size <= MAX_MESSAGE)
}

/// A TEXT with its `\n`, `\t` and `\\` meant; other backslashes stay.
fn unescaped(text: &str) -> String {
    let mut meant = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        meant.push_str(before);
        let (character, escaped) = match after.as_bytes().first() {
            Some(b'n') => ('\n', 1),
            Some(b't') => ('\t', 1),
            Some(b'\\') => ('\\', 1),
            _ => ('\\', 0),
        };
        meant.push(character);
        rest = after.get(escaped..).unwrap_or_default();
    }
    meant.push_str(rest);
    meant
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::conversation::Data;

    fn script(text: &str) -> Option<Script> {
        Script::of(&[Part::text(text)])
    }

    fn phases(text: &str) -> Vec<Vec<Directive>> {
        script(text).map(|script| script.phases).unwrap_or_default()
    }

    fn text(text: &str) -> Directive {
        Directive::Say(text.into())
    }

    fn call(tool: &str, input: Value) -> Directive {
        Directive::Call { tool: tool.into(), input }
    }

    fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn directive_is_a_known_name_at_the_start_of_a_line() {
        assert_eq!(
            phases("say:a b\r\n  wait:5\nSay:c\n\tsay:d\nx say:e\nsay :f\nhang:\r\ndump:x"),
            [[text("a b"), Directive::Wait(millis(5)), Directive::Hang, Directive::Dump]]
        );
    }

    #[test]
    fn every_directive_is_parsed() {
        assert_eq!(
            phases(
                "say: a \nunits:é\ncall:get {\"a\":1}\ncall: get\nslow:3\nslow:3 7\nparts:2\nparts:2 40\n\
                 wait:1\nhang:\nthink:hm\nsign: s1\ncost:9\nconfiguration:\nusage:7 5\nusage:7 5 3\ncut:\nfail:Blocked too many\ndump:\nstats:"
            ),
            [[
                text(" a "),
                Directive::Units("é".into()),
                call("get", json!({"a": 1})),
                call("get", json!({})),
                Directive::Slow { count: 3, pause: millis(100) },
                Directive::Slow { count: 3, pause: millis(7) },
                Directive::Parts { count: 2, size: 4 },
                Directive::Parts { count: 2, size: 40 },
                Directive::Wait(millis(1)),
                Directive::Hang,
                Directive::Think("hm".into()),
                Directive::Sign("s1".into()),
                Directive::Cost(9),
                Directive::Configuration,
                Directive::Usage(UsageCounts { prompt: 7, completion: 5, ..UsageCounts::default() }),
                Directive::Usage(UsageCounts { prompt: 7, completion: 5, cached: 3, reasoning: 0 }),
                Directive::Cut,
                Directive::Fail { code: "Blocked".into(), message: "too many".into() },
                Directive::Dump,
                Directive::Stats,
            ]]
        );
    }

    #[test]
    fn line_with_an_invalid_argument_is_no_directive() {
        let prose = "wait:\nwait: what?\nslow:\nparts:all of them\nparts:1 99999999999\nusage: git log\nusage:1\n\
                     usage:1 2 3 4\ncall:\nfail: \nthen:we go\nnote:x\nsay";
        assert_eq!(script(prose), None);
    }

    #[test]
    fn call_arguments_that_are_not_json_become_empty() {
        assert_eq!(phases("call:a {oops\ncall:b [1]"), [[call("a", json!({})), call("b", json!([1]))]]);
    }

    #[test]
    fn then_separates_phases_which_may_be_empty() {
        assert_eq!(
            phases("say:0\n then: \r\nthen:\nsay:2\nthen:"),
            [vec![text("0")], vec![], vec![text("2")], vec![]]
        );
        assert_eq!(script("then:\nthen:"), None);
    }

    #[test]
    fn text_parts_of_a_message_form_one_script() {
        let image = Part::Data(Data { mime: "say:x".into(), base64: String::new() });
        let parts = [Part::text("say:a\nthen:"), image, Part::text("stats:")];
        let script = Script::of(&parts).unwrap();
        assert_eq!(script.phase(0), Some([text("a")].as_slice()));
        assert_eq!(script.phase(1), Some([Directive::Stats].as_slice()));
        assert_eq!(script.phase(2), None);
        assert!(script.asks_for_stats());
    }

    #[test]
    fn lines_end_with_lf_or_crlf_only() {
        assert_eq!(phases("say:a\u{2028}b\u{85}c\rd\r"), [[text("a\u{2028}b\u{85}c\rd\r")]]);
    }

    #[test]
    fn escapes_are_newline_tab_and_backslash_only() {
        assert_eq!(phases(r"say:a\nb\tc\\nd\é\"), [[text("a\nb\tc\\nd\\é\\")]]);
        assert_eq!(
            phases(r"fail:Error Filtered\n\nbody"),
            [[Directive::Fail { code: "Error".into(), message: "Filtered\n\nbody".into() }]]
        );
    }
}
