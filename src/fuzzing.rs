//! Bodies of the fuzz targets of `fuzz/`: each function takes any bytes and panics where a promise is broken.
//!
//! Compiled for fuzzers (`cfg(fuzzing)`), where it is the library's only way to its private modules, and for the tests, which
//! run each target over its corpus. No program contains it.

mod encoders;
mod filters;
mod frames;
mod requests;
mod settings;
mod source;
mod transcripts;

pub use encoders::encoders;
pub use filters::{json_output, stop_sequences};
pub use frames::frames;
pub use requests::{read_chat, read_completions, read_gemini, read_messages, read_ollama, read_responses};
pub use settings::{setup_json, setup_toml};
pub use transcripts::transcript;

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    /// Inputs that once broke a promise stay in the corpus under the name of what they found.
    #[test]
    fn corpus_of_each_fuzz_target_passes() {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
        for (target, run) in [
            ("encoders", encoders as fn(&[u8])),
            ("frames", frames),
            ("json_output", json_output),
            ("read_chat", read_chat),
            ("read_completions", read_completions),
            ("read_gemini", read_gemini),
            ("read_messages", read_messages),
            ("read_ollama", read_ollama),
            ("read_responses", read_responses),
            ("setup_json", setup_json),
            ("setup_toml", setup_toml),
            ("stop_sequences", stop_sequences),
            ("transcript", transcript),
        ] {
            run(&[]);
            let inputs: Vec<_> =
                fs::read_dir(corpus.join(target)).unwrap().map(|entry| entry.unwrap().path()).collect();
            assert!(!inputs.is_empty(), "{target} has no corpus");
            for input in inputs {
                println!("{}", input.display());
                run(&fs::read(input).unwrap());
            }
        }
    }
}
