//! Runs `copilot_proxy::fuzzing::read_gemini`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| copilot_proxy::fuzzing::read_gemini(data));
