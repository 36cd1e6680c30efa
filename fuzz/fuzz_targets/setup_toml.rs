//! Runs `copilot_proxy::fuzzing::setup_toml`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| copilot_proxy::fuzzing::setup_toml(data));
