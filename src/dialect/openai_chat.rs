//! OpenAI chat completions.
