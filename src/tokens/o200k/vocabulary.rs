//! The vocabulary: OpenAI's list of tokens and their ranks, packed.

use std::hash::BuildHasher;
use std::io::Read;

use flate2::read::DeflateDecoder;
use foldhash::fast::FixedState;
use hashbrown::HashTable;

/// A token's place in the list: what was learned first is joined first.
pub type Rank = u32;

/// The list, deflated. The tokens are sorted by their bytes: five columns say of each how many bytes it shares with
/// the one before, how many of its own it has, and the high, the middle and the low byte of its rank; then come the
/// bytes that are their own.
const PACKED: &[u8] = include_bytes!("o200k_base.tokens");
const TOKENS: usize = 199_998;
/// In bytes: no token is longer.
const LONGEST: usize = 128;
/// Of a pair of bytes that is no token.
const UNRANKED: Rank = Rank::MAX;

/// The tokens and their ranks, in 3.6 MB.
#[derive(Default)]
pub struct Vocabulary {
    /// The tokens, one after the other. What another token begins with is not there a second time.
    bytes: Vec<u8>,
    tokens: HashTable<Token>,
    /// The ranks of all pairs of bytes: every other question is about one.
    pairs: Vec<Rank>,
}

/// Position of a token's bytes, and its rank: packed, since there are so many.
struct Token {
    start_and_length: u32,
    rank: Rank,
}

impl Vocabulary {
    /// Unpacks the list that is part of the program, which a test has read.
    pub fn load() -> Vocabulary {
        let mut list = Vec::with_capacity(TOKENS * 5 + 430_000);
        match DeflateDecoder::new(PACKED).read_to_end(&mut list) {
            Ok(_) => Vocabulary::of_list(&list).unwrap_or_default(),
            Err(_) => Vocabulary::default(),
        }
    }

    fn of_list(list: &[u8]) -> Option<Vocabulary> {
        let (shared, list) = list.split_first_chunk::<TOKENS>()?;
        let (own, list) = list.split_first_chunk::<TOKENS>()?;
        let (high, list) = list.split_first_chunk::<TOKENS>()?;
        let (middle, list) = list.split_first_chunk::<TOKENS>()?;
        let (low, mut list) = list.split_first_chunk::<TOKENS>()?;
        let lengths = shared.iter().zip(own).map(|(shared, own)| (usize::from(*shared), usize::from(*own)));
        let ranks = high.iter().zip(middle).zip(low);
        let ranks = ranks.map(|((high, middle), low)| Rank::from_be_bytes([0, *high, *middle, *low]));

        let mut bytes = Vec::with_capacity(1_010_000);
        let mut tokens = HashTable::with_capacity(TOKENS);
        let mut pairs = vec![UNRANKED; 1 << 16];
        let mut start = 0;
        for ((shared, own), rank) in lengths.zip(ranks) {
            let own = list.split_off(..own)?;
            if start + shared < bytes.len() {
                bytes.extend_from_within(start..start + shared);
                start = bytes.len() - shared;
            }
            bytes.extend_from_slice(own);
            let token = bytes.get(start..)?;
            if let [first, second] = token {
                *pairs.get_mut(pair(*first, *second))? = rank;
            }
            let start_and_length = u32::try_from(start << 8 | token.len()).ok()?;
            tokens.insert_unique(hash(token), Token { start_and_length, rank }, |_| 0);
        }
        Some(Vocabulary { bytes, tokens, pairs })
    }

    /// The rank of these bytes, if they are a token.
    pub fn rank(&self, bytes: &[u8]) -> Option<Rank> {
        if bytes.len() > LONGEST {
            return None;
        }
        self.tokens.find(hash(bytes), |token| self.bytes_of(token) == Some(bytes)).map(|token| token.rank)
    }

    /// The rank of two bytes, if they are a token.
    pub fn rank_of_pair(&self, first: u8, second: u8) -> Option<Rank> {
        self.pairs.get(pair(first, second)).copied().filter(|rank| *rank != UNRANKED)
    }

    fn bytes_of(&self, token: &Token) -> Option<&[u8]> {
        let [length, start @ ..] = token.start_and_length.to_le_bytes();
        let [low, middle, high] = start;
        let start = usize::try_from(u32::from_le_bytes([low, middle, high, 0])).ok()?;
        self.bytes.get(start..start + usize::from(length))
    }
}

fn pair(first: u8, second: u8) -> usize {
    usize::from(first) << 8 | usize::from(second)
}

fn hash(bytes: &[u8]) -> u64 {
    FixedState::default().hash_one(bytes)
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use flate2::Compression;
    use flate2::write::DeflateEncoder;
    use sha2::{Digest, Sha256};

    use super::*;

    /// All tokens, by rank.
    fn tokens() -> Vec<Vec<u8>> {
        let vocabulary = Vocabulary::load();
        let mut tokens = vec![Vec::new(); vocabulary.tokens.len()];
        for token in &vocabulary.tokens {
            tokens[token.rank as usize] = vocabulary.bytes_of(token).unwrap().to_vec();
        }
        tokens
    }

    /// The hash is the one that OpenAI's tiktoken compares its download of `o200k_base.tiktoken` with.
    #[test]
    fn token_list_has_openais_hash() {
        let mut list = String::new();
        for (rank, token) in tokens().iter().enumerate() {
            writeln!(list, "{} {rank}", STANDARD.encode(token)).unwrap();
        }
        let hash: Vec<String> = Sha256::digest(list).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hash.concat(), "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d");
    }

    #[test]
    fn every_token_has_its_rank() {
        let vocabulary = Vocabulary::load();
        for (rank, token) in tokens().iter().enumerate() {
            assert_eq!(vocabulary.rank(token), Some(Rank::try_from(rank).unwrap()), "{token:?}");
            if let [first, second] = token[..] {
                assert_eq!(vocabulary.rank_of_pair(first, second), vocabulary.rank(token), "{token:?}");
            }
        }
        assert_eq!(vocabulary.rank(b"no such token"), None);
        assert_eq!(vocabulary.rank_of_pair(0xFF, 0), None);
    }

    /// Builds the packed file from OpenAI's list; `UPDATE_TOKENS=1` writes it.
    #[test]
    fn packed_list_unpacks_to_itself() {
        let tokens = tokens();
        let mut sorted: Vec<usize> = (0..tokens.len()).collect();
        sorted.sort_by_key(|rank| &tokens[*rank]);
        let mut columns = [const { Vec::new() }; 5];
        let mut own = Vec::new();
        let mut before: &[u8] = &[];
        for rank in sorted {
            let token = &tokens[rank];
            let shared = token.iter().zip(before).take_while(|(one, other)| one == other).count();
            let [.., high, middle, low] = rank.to_be_bytes();
            let [shared_byte, own_byte] =
                [shared, token.len() - shared].map(|length| u8::try_from(length).unwrap());
            for (column, byte) in columns.iter_mut().zip([shared_byte, own_byte, high, middle, low]) {
                column.push(byte);
            }
            own.extend_from_slice(&token[shared..]);
            before = token;
        }
        let list = [columns.concat(), own].concat();
        let mut read = Vec::new();
        DeflateDecoder::new(PACKED).read_to_end(&mut read).unwrap();
        assert!(read == list);
        if std::env::var_os("UPDATE_TOKENS").is_some() {
            let mut packed = DeflateEncoder::new(Vec::new(), Compression::best());
            std::io::Write::write_all(&mut packed, &list).unwrap();
            std::fs::write("src/tokens/o200k/o200k_base.tokens", packed.finish().unwrap()).unwrap();
        }
    }
}
