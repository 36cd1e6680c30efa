//! Runs `copilot_proxy::fuzzing::json_output`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| copilot_proxy::fuzzing::json_output(data));
