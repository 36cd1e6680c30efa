//! Requests of each dialect: any bytes are read or refused, and what is read becomes a transcript that the provider takes.

use super::transcripts::check_legal;
use crate::dialect::anthropic::Anthropic;
use crate::dialect::gemini::Gemini;
use crate::dialect::legacy_completions::Completions;
use crate::dialect::ollama::{Chat, Generate, Ollama};
use crate::dialect::openai_chat::OpenAiChat;
use crate::dialect::openai_responses::OpenAiResponses;
use crate::dialect::{Dialect, RequestHead};

/// `POST /v1/chat/completions`.
pub fn read_chat(body: &[u8]) {
    read::<OpenAiChat>(body);
}

/// `POST /v1/completions`.
pub fn read_completions(body: &[u8]) {
    read::<Completions>(body);
}

/// `POST /v1beta/models/{model}:generateContent`.
pub fn read_gemini(body: &[u8]) {
    read::<Gemini>(body);
}

/// `POST /v1/messages`.
pub fn read_messages(body: &[u8]) {
    read::<Anthropic>(body);
}

/// `POST /v1/responses`.
pub fn read_responses(body: &[u8]) {
    read::<OpenAiResponses>(body);
}

/// `POST /api/chat` and `POST /api/generate`.
pub fn read_ollama(body: &[u8]) {
    read::<Ollama<Chat>>(body);
    read::<Ollama<Generate>>(body);
}

fn read<D: Dialect>(body: &[u8]) {
    match D::read(&RequestHead::default(), body, &D::Memory::default()) {
        Ok((parsed, _)) => check_legal(parsed.conversation),
        Err(failure) => {
            let response = D::error_response(&failure);
            assert!((400..500).contains(&response.status), "{failure:?}");
            assert!(!failure.to_string().is_empty());
        }
    }
}
