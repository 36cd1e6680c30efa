//! Runs `copilot_proxy::fuzzing::frames`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| copilot_proxy::fuzzing::frames(data));
