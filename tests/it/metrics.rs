//! `GET /metrics`: counters and gauges for Prometheus.

use serde_json::json;

use crate::client::Request;
use crate::openai::{CHAT, chat};
use crate::server::Server;
use crate::wait::until;

/// Samples whose names begin with one of these.
fn samples(server: &Server, beginnings: &[&str]) -> Vec<String> {
    let text = server.get("/metrics").text().to_owned();
    assert!(text.ends_with("# EOF\n"), "{text}");
    let mut samples: Vec<String> = text
        .lines()
        .filter(|line| beginnings.iter().any(|beginning| line.starts_with(beginning)))
        .map(str::to_owned)
        .collect();
    samples.sort();
    samples
}

#[test]
fn requests_are_counted_by_dialect_model_and_outcome() {
    let server = Server::demo(&[]);
    let counts = ["copilot_proxy_requests_total", "copilot_proxy_request_duration_seconds_count"];
    assert_eq!(samples(&server, &counts), Vec::<String>::new());

    let send = |text: &str| server.post(CHAT, &chat(text)).status;
    assert_eq!((send("say:Hello"), send("say:Hello"), send("fail:ChatRateLimited slowly")), (200, 200, 429));
    assert_eq!(server.post(CHAT, &json!({ "messages": 1 })).status, 400);
    until("four requests", || (samples(&server, &counts[..1]).len() == 3).then_some(()));

    let requests = samples(&server, &counts[..1]);
    for (model, outcome, count) in [("scripted-1", "stop", 2), ("", "", 1)] {
        let ended = |line: &&String| {
            line.contains(&format!("model=\"{model}\""))
                && line.contains(&format!("outcome=\"{outcome}"))
                && line.contains("dialect=\"")
                && line.ends_with(&format!(" {count}"))
        };
        assert_eq!(requests.iter().filter(ended).count(), 1, "{model} {outcome}: {requests:?}");
    }
    let durations: u64 = samples(&server, &counts[1..])
        .iter()
        .map(|line| line.rsplit_once(' ').unwrap().1.parse::<u64>().unwrap())
        .sum();
    assert_eq!(durations, 4);
    assert_eq!(samples(&server, &["copilot_proxy_output_tokens_total"]).len(), 1);
}

#[test]
fn gauges_report_the_current_state() {
    let server = Server::serve(&[]);
    let _editor = server.simulate();
    let gauges = ["copilot_proxy_editors", "copilot_proxy_models", "copilot_proxy_requests_in_flight"];
    assert_eq!(
        samples(&server, &gauges),
        ["copilot_proxy_editors 1", "copilot_proxy_models 12", "copilot_proxy_requests_in_flight 0"]
    );
    let build = format!("copilot_proxy_build_info{{version=\"{}\"}} 1", env!("CARGO_PKG_VERSION"));
    assert_eq!(samples(&server, &["copilot_proxy_build_info"]), [build]);
    assert_eq!(samples(&server, &["copilot_proxy_uptime_seconds"]).len(), 1);
}

#[test]
fn metrics_have_the_openmetrics_type_and_accept_head() {
    let server = Server::serve(&[]);
    let get = server.get("/metrics");
    let openmetrics = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert_eq!((get.status, get.header("content-type")), (200, Some(openmetrics)));
    let head = server.send(&Request::new("HEAD", "/metrics"));
    assert_eq!((head.status, head.body.as_slice()), (200, b"".as_slice()));
    assert_eq!(server.send(&Request::new("POST", "/metrics")).status, 405);
}
