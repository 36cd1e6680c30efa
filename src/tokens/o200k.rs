//! The tokenizer `o200k_base` of OpenAI's newer models, as far as counting needs it: a text is split into pieces, and
//! of a piece's bytes those neighbours are joined, again and again, whose union ranks first in the vocabulary.

use std::sync::LazyLock;

use bpe::Merger;
use vocabulary::Vocabulary;

mod bpe;
mod pretokenize;
mod tournament_tree;
mod vocabulary;

pub use pretokenize::split;

/// Unpacked when something is counted for the first time, which takes some 20 ms.
static VOCABULARY: LazyLock<Vocabulary> = LazyLock::new(Vocabulary::load);

/// The tokens of a whole text.
pub fn count(text: &str) -> u64 {
    let mut merger = Merger::new(&VOCABULARY);
    split(text).map(|piece| merger.count(piece.as_bytes())).sum()
}

/// The tokens of one of a text's pieces.
pub fn count_piece(piece: &str) -> u64 {
    Merger::new(&VOCABULARY).count(piece.as_bytes())
}

/// Lengths in bytes of a piece's tokens.
pub fn lengths(piece: &str) -> Vec<u8> {
    Merger::new(&VOCABULARY).lengths(piece.as_bytes())
}

#[cfg(test)]
mod tests;
