//! Runs `copilot_proxy::fuzzing::setup_json`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| copilot_proxy::fuzzing::setup_json(data));
