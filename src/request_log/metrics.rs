//! Counters since the start of the server and current gauges, in Prometheus's text format.

use std::collections::HashSet;
use std::fmt;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use parking_lot::Mutex;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use crate::bridge::protocol::{Outcome, RequestRecord};

/// Content type of the metrics.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Bounds of the histograms, in seconds: a first part takes half a second to a minute, an agent's turn minutes.
const BOUNDS: [f64; 12] = [0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 180.0, 600.0];

/// Counters of finished requests.
pub struct Metrics {
    requests: Family<Ended, Counter>,
    origins: Mutex<HashSet<String>>,
    input: Family<Answered, Counter>,
    output: Family<Answered, Counter>,
    credits: Family<Charged, Counter<f64, AtomicU64>>,
    premium_requests: Family<Requested, Counter<f64, AtomicU64>>,
    first: Family<Answered, Histogram>,
    duration: Family<Answered, Histogram>,
}

/// Gauges at the time of a scrape.
#[derive(Clone, Copy, Debug)]
pub struct Gauges<'a> {
    /// Version of the server.
    pub version: &'a str,
    /// Requests that are running.
    pub in_flight: u32,
    /// Attached editors.
    pub editors: usize,
    /// Listed models.
    pub models: usize,
    /// Uptime of the server.
    pub uptime: Duration,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Ended {
    dialect: String,
    /// Id of the model; empty if none was resolved.
    model: String,
    outcome: String,
    /// Origin of the web page that sent it; empty for programs, for refused requests and for origins beyond the first
    /// [`MAX_ORIGINS`].
    origin: String,
}

/// Most origins that are counted separately: pages choose their names.
const MAX_ORIGINS: usize = 50;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Answered {
    dialect: String,
    model: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Charged {
    dialect: String,
    model: String,
    client: String,
    /// `reported` or `estimated`.
    source: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Requested {
    dialect: String,
    model: String,
    client: String,
}

impl Default for Metrics {
    fn default() -> Metrics {
        let histograms = || Family::new_with_constructor(histogram as fn() -> Histogram);
        Metrics {
            requests: Family::default(),
            origins: Mutex::default(),
            input: Family::default(),
            output: Family::default(),
            credits: Family::default(),
            premium_requests: Family::default(),
            first: histograms(),
            duration: histograms(),
        }
    }
}

fn histogram() -> Histogram {
    Histogram::new(BOUNDS)
}

impl Metrics {
    /// Counts a request that has ended.
    pub(super) fn add(&self, record: &RequestRecord) {
        let RequestRecord { client, dialect, model, outcome, tokens, credits, first_ms, duration_ms, .. } =
            record;
        let model = model.clone().unwrap_or_default();
        let answered = Answered { dialect: dialect.clone(), model: model.clone() };
        let outcome = match outcome {
            Outcome::Running => return,
            Outcome::Finished { reason } => reason,
            Outcome::Failed { kind, .. } => kind,
            Outcome::Disconnected => "left",
        };
        if let Some(credits) = credits {
            let charged = Charged {
                dialect: dialect.clone(),
                model: model.clone(),
                client: client.clone(),
                source: credits.source.as_str(),
            };
            self.credits.get_or_create(&charged).inc_by(credits.amount());
        }
        if let Some(requests) = record.premium_requests {
            let requested =
                Requested { dialect: dialect.clone(), model: model.clone(), client: client.clone() };
            self.premium_requests.get_or_create(&requested).inc_by(requests.amount());
        }
        let ended = Ended {
            dialect: dialect.clone(),
            model,
            outcome: outcome.to_owned(),
            origin: self.origin(record),
        };
        self.requests.get_or_create(&ended).inc();
        if let Some(tokens) = tokens {
            self.input.get_or_create(&answered).inc_by(tokens.input);
            self.output.get_or_create(&answered).inc_by(tokens.output);
        }
        for (family, time) in [(&self.first, first_ms), (&self.duration, duration_ms)] {
            if let Some(time) = time {
                family.get_or_create(&answered).observe(Duration::from_millis(*time).as_secs_f64());
            }
        }
    }

    fn origin(&self, record: &RequestRecord) -> String {
        let Some(origin) = record.origin.as_ref().filter(|_| !record.rejected) else { return String::new() };
        let mut origins = self.origins.lock();
        if origins.contains(origin) || origins.len() < MAX_ORIGINS && origins.insert(origin.clone()) {
            origin.clone()
        } else {
            String::new()
        }
    }

    /// Writes all metrics in Prometheus's text format.
    pub fn render(&self, gauges: Gauges<'_>) -> Result<String, fmt::Error> {
        let mut registry = Registry::with_prefix("copilot_proxy");
        let gauge = |value: usize| ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
        let in_flight = ConstGauge::new(i64::from(gauges.in_flight));
        let uptime = ConstGauge::new(gauges.uptime.as_secs_f64());
        registry.register("build", "The program", Info::new([("version", gauges.version.to_owned())]));
        registry.register_with_unit("uptime", "How long the server has run", Unit::Seconds, uptime);
        registry.register("editors", "VS Code windows that are attached", gauge(gauges.editors));
        registry.register("models", "Models that can be asked", gauge(gauges.models));
        registry.register("requests_in_flight", "Requests being answered", in_flight);
        registry.register("requests", "Requests that have ended", self.requests.clone());
        registry.register("input_tokens", "Tokens that models were given", self.input.clone());
        registry.register("output_tokens", "Tokens that models answered with", self.output.clone());
        let premium_requests = self.premium_requests.clone();
        registry.register(
            "premium_requests",
            "Requests to models that are billed by the request",
            premium_requests,
        );
        registry.register("credits", "Cost of responses, in credits", self.credits.clone());
        registry.register_with_unit(
            "first_part",
            "From a request to the first part of its answer",
            Unit::Seconds,
            self.first.clone(),
        );
        registry.register_with_unit(
            "request_duration",
            "From a request to the end of its answer",
            Unit::Seconds,
            self.duration.clone(),
        );
        let mut text = String::new();
        encode(&mut text, &registry)?;
        Ok(text)
    }
}
