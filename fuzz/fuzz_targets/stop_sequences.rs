//! Runs `copilot_proxy::fuzzing::stop_sequences`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| copilot_proxy::fuzzing::stop_sequences(data));
