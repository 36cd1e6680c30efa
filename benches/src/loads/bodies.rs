//! Large bodies: a long history with a last message, as agents send with each turn. It has text outside ASCII. The first turn
//! of a conversation is all new; later ones repeat it.

use std::cell::Cell;
use std::fmt::Write as _;

use futures_util::future::try_join;

use super::{Measured, PACE, Sizes, run_paced};
use crate::Result;
use crate::http::{Connection, question};
use crate::metrics::Metric;
use crate::process::Process;
use crate::statistics::{median, percentile};
use crate::target::{Cost, Running, number};

/// A file that was read, a reply: in bytes.
const MESSAGE: usize = 8 * 1024;

/// Streams that go on while bodies come.
const BESIDE: usize = 16;

/// The request of a turn.
pub struct Body {
    request: Vec<u8>,
    /// Text of the model when the whole body has arrived.
    answer: String,
}

impl Body {
    /// Of so many bytes, a little less. Conversations of different numbers have no message in common.
    pub fn of(bytes: usize, number: usize) -> Body {
        let text = |index: usize| text(number * 10_000 + index);
        let mut messages = Vec::new();
        let mut units = 0;
        let mut held = 0;
        while held + MESSAGE + 1024 < bytes {
            let text = text(messages.len());
            held += text.len() + text.lines().count() + 40;
            units += text.encode_utf16().count();
            let role = if messages.len().is_multiple_of(2) { "user" } else { "assistant" };
            let escaped = text.replace('\n', "\\n");
            messages.push(format!(r#"{{"role":"{role}","content":"{escaped}"}}"#));
        }
        if !messages.len().is_multiple_of(2) {
            messages.pop();
            units -= text(messages.len()).encode_utf16().count();
        }
        messages.push(r#"{"role":"user","content":"weigh"}"#.to_owned());
        let answer = format!("{} messages of {} units", messages.len(), units + "weigh".len());
        Body { request: question(false, &messages.join(",")), answer }
    }

    pub async fn ask(&self, client: &mut Connection) -> Result<()> {
        let text = client.whole_text(&self.request).await?;
        if text == self.answer { Ok(()) } else { Err(format!("{text:?} came of {:?}", self.answer).into()) }
    }

    async fn ask_often(&self, client: &mut Connection, times: usize) -> Result<()> {
        for _ in 0..times {
            self.ask(client).await?;
        }
        Ok(())
    }
}

/// Something like a file of code; every eighth one with words of other scripts.
fn text(number: usize) -> String {
    let foreign = if number.is_multiple_of(8) { "größer 日本語 naïve" } else { "larger plain naive" };
    let mut text = String::with_capacity(MESSAGE + 100);
    for line in 0.. {
        if text.len() >= MESSAGE {
            break;
        }
        let value = (number * 7919 + line * 104_729) % 99_991;
        let _ = writeln!(text, "    let value_{line} = measure({value}, file_{number}); // {foreign}");
    }
    text
}

/// One after the other, nothing else.
pub async fn alone(running: &mut Running, sizes: Sizes) -> Result<Measured> {
    let mut client = Connection::open(running.port).await?;
    let [one, one_again] = turns(running, &mut client, sizes.body[0], sizes.bodies * 2).await?;
    running.processes().try_for_each(Process::forget_peak)?;
    let node = running.node.as_mut().ok_or("no node to watch")?;
    node.ask("watch")?;
    let [nine, nine_again] = turns(running, &mut client, sizes.body[1], sizes.bodies.div_ceil(2)).await?;
    let delay = running.node.as_mut().ok_or("no node to watch")?.ask("delay")?;
    let peak: f64 = running.processes().map(Process::peak).sum::<Result<f64>>()?;
    Ok(vec![
        (Metric::Body1Node, one.node / 1e3),
        (Metric::Body1All, one.all / 1e3),
        (Metric::Body1AgainNode, one_again.node / 1e3),
        (Metric::Body1AgainAll, one_again.all / 1e3),
        (Metric::Body9Node, nine.node / 1e3),
        (Metric::Body9All, nine.all / 1e3),
        (Metric::Body9AgainNode, nine_again.node / 1e3),
        (Metric::Body9AgainAll, nine_again.all / 1e3),
        (Metric::Body9Peak, peak / 1024.0),
        (Metric::Delay, number(&delay, "max")?),
    ])
}

/// Cost of the first turn of a conversation, and of a later one.
async fn turns(running: &Running, client: &mut Connection, bytes: usize, count: usize) -> Result<[Cost; 2]> {
    // Other conversations first, until node has compiled what they need.
    for number in 0..count {
        Body::of(bytes, count + number).ask(client).await?;
    }
    let first: Vec<Body> = (0..count).map(|number| Body::of(bytes, number)).collect();
    let before = running.begin()?;
    for body in &first {
        body.ask(client).await?;
    }
    let new = running.cost(&before)?.each(count);
    let before = running.begin()?;
    first.last().ok_or("no body")?.ask_often(client, count).await?;
    let again = running.cost(&before)?.each(count);
    Ok([new, again])
}

/// Delay of other streams' parts while such bodies arrive.
pub async fn beside_streams(running: &Running, sizes: Sizes) -> Result<Measured> {
    let large = Body::of(sizes.body[1], 0);
    let mut client = Connection::open(running.port).await?;
    run_paced(running, BESIDE, sizes.paced / 4, PACE).await?;
    large.ask_often(&mut client, 2).await?;
    let streams_end = Cell::new(false);
    let bodies = async {
        while !streams_end.get() {
            large.ask(&mut client).await?;
        }
        Ok(())
    };
    let streams = async {
        let late = run_paced(running, BESIDE, sizes.paced, PACE).await;
        streams_end.set(true);
        late
    };
    let (mut late, ()) = try_join(streams, bodies).await?;
    Ok(vec![
        (Metric::MixedMedian, median(&mut late) / 1e3),
        (Metric::Mixed99, percentile(&mut late, 99.0) / 1e3),
    ])
}
