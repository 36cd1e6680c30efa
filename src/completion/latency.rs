//! Measures the time of a response and adds it to the usage in its finish. It comes after all filters and retries, so
//! that it measures the time that the client waits.

use std::time::Duration;

use futures_util::{Stream, StreamExt};
use tokio::time::Instant;

use super::Events;
use crate::conversation::{Event, Timing, Usage};

/// Passes on the events of a response that begins now; `ready` is the time that its preparation took.
pub(super) fn timed(events: Events, ready: Duration) -> impl Stream<Item = <Events as Stream>::Item> {
    let start = Instant::now();
    let mut first = None;
    events.map(move |event| {
        let first = *first.get_or_insert_with(|| start.elapsed());
        event.map(|event| match event {
            Event::Finish(finish, usage) => {
                let timing = Timing { ready, first, rest: start.elapsed().saturating_sub(first) };
                Event::Finish(finish, Usage { timing, ..usage })
            }
            other => other,
        })
    })
}

#[cfg(test)]
mod tests {
    use async_stream::stream;
    use tokio::time::sleep;

    use super::*;
    use crate::conversation::Finish;

    #[tokio::test(start_paused = true)]
    async fn finish_has_the_times_of_all_phases() {
        const SECOND: Duration = Duration::from_secs(1);
        let usage = Usage { output: 2, ..Usage::default() };
        let usage_of_events = usage.clone();
        let events: Events = Box::pin(stream! {
            sleep(3 * SECOND).await;
            yield Ok(Event::Text("a".into()));
            sleep(5 * SECOND).await;
            yield Ok(Event::Finish(Finish::Stop, usage_of_events));
        });
        let timed: Vec<_> = timed(events, SECOND).collect().await;
        let timing = Timing { ready: SECOND, first: 3 * SECOND, rest: 5 * SECOND };
        assert_eq!(
            timed,
            [Ok(Event::Text("a".into())), Ok(Event::Finish(Finish::Stop, Usage { timing, ..usage }))]
        );
        assert_eq!(timing.total(), 9 * SECOND);
        assert_eq!(timing.and(timing).total(), 18 * SECOND);
    }
}
