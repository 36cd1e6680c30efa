//! Runs `copilot_proxy::fuzzing::encoders`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| copilot_proxy::fuzzing::encoders(data));
