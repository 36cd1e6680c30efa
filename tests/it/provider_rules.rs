//! Recorded requests of agents under the rules of Copilot and of the services behind its models.

use serde_json::json;

use crate::openai::with;
use crate::recordings::recordings;
use crate::server::Server;

#[test]
fn recorded_turns_pass_on_auto_and_on_a_model_of_each_service() {
    let server = Server::demo(&[]);
    for recording in recordings() {
        for exchange in recording.exchanges {
            for model in ["auto", "claude-sonnet-4", "gpt-5-mini", "scripted-1"] {
                let body = with(exchange.body.clone(), &json!({ "model": model }));
                let response = server.send(&exchange.request(&body));
                assert_eq!(response.status, 200, "{} {model}: {}", recording.name, response.text());
                assert!(!response.text().contains("Request Failed"), "{} {model}", recording.name);
            }
        }
    }
}
