//! A piece becomes tokens: of all neighbours those two are joined whose union ranks first, again and again, as long as
//! any union is a token.

use super::tournament_tree::TournamentTree;
use super::vocabulary::{Rank, Vocabulary};

/// In bytes: a longer piece is merged window by window, so that no byte takes more work than another.
const WINDOW: usize = 512;
/// So many tokens at the end of a window are likely to be others once it is known what follows.
const UNSURE: usize = 4;

/// Merges one piece after the other, reusing its buffers.
pub struct Merger<'a> {
    vocabulary: &'a Vocabulary,
    contest: TournamentTree,
    /// By where a part begins, where it ends and the next begins.
    ends: Vec<usize>,
    /// By where a part begins, where the one before it begins.
    before: Vec<usize>,
}

impl Merger<'_> {
    /// With the ranks of this vocabulary.
    pub fn new(vocabulary: &Vocabulary) -> Merger<'_> {
        Merger { vocabulary, contest: TournamentTree::default(), ends: Vec::new(), before: Vec::new() }
    }

    /// Counts the tokens of a piece.
    pub fn count(&mut self, piece: &[u8]) -> u64 {
        let tokens = if self.vocabulary.rank(piece).is_some() {
            1
        } else if piece.len() <= WINDOW {
            self.merge(piece).count()
        } else {
            self.windows(piece).len()
        };
        u64::try_from(tokens).unwrap_or(u64::MAX)
    }

    /// Lengths in bytes of a piece's tokens.
    pub fn lengths(&mut self, piece: &[u8]) -> Vec<u8> {
        if piece.len() <= WINDOW { self.merge(piece).collect() } else { self.windows(piece) }
    }

    /// Merges windows that begin where a token ends, and keeps of each what does not depend on what follows.
    ///
    /// Tokens in a row are those of the whole if each two neighbours are what the bytes of these two alone would be
    /// merged into: a merge across the border between them would not have waited for others. So it is enough that
    /// each window begins with the token that the one before it would have gone on with.
    fn windows(&mut self, piece: &[u8]) -> Vec<u8> {
        let mut tokens = Vec::new();
        let mut begin = 0;
        let mut expected = None;
        let mut size = WINDOW;
        let mut furthest = 0;
        let mut window: &[u8] = &[];
        let mut merged = Vec::new();
        while let Some(rest) = piece.get(begin..).filter(|rest| !rest.is_empty()) {
            let next = rest.get(..size).unwrap_or(rest);
            // Long pieces repeat themselves, mostly.
            if window != next {
                window = next;
                merged = self.merge(window).collect();
            }
            if expected.is_some() && expected != merged.first().copied() {
                expected = tokens.pop();
                begin -= expected.map_or(0, usize::from);
                size *= 2;
                continue;
            }
            // No token is longer than a quarter of a window: there are always some that are kept.
            let unsure = if window.len() == rest.len() { 0 } else { (merged.len() / 2).min(UNSURE) };
            let (sure, unsure) = merged.split_at(merged.len() - unsure);
            begin += sure.iter().copied().map(usize::from).sum::<usize>();
            tokens.extend(sure);
            expected = unsure.first().copied();
            if begin > furthest {
                furthest = begin;
                size = WINDOW;
            }
        }
        tokens
    }

    /// Merges all that can be merged; returns the length in bytes of each token.
    fn merge(&mut self, bytes: &[u8]) -> impl Iterator<Item = u8> {
        self.ends.clear();
        self.ends.extend(1..=bytes.len());
        self.before.clear();
        self.before.extend((0..bytes.len()).map(|begin| begin.saturating_sub(1)));
        let pairs = bytes.windows(2).map(|pair| match pair {
            [first, second] => self.vocabulary.rank_of_pair(*first, *second),
            _ => None,
        });
        self.contest.begin(pairs);
        while let Some(begin) = self.contest.first() {
            self.join(bytes, begin);
        }
        let mut begin = 0;
        std::iter::from_fn(move || {
            let end = *self.ends.get(begin)?;
            let length = u8::try_from(end - begin).unwrap_or(u8::MAX);
            begin = end;
            Some(length)
        })
    }

    /// Joins the part that begins here with the next one.
    fn join(&mut self, bytes: &[u8], begin: usize) {
        let Some(middle) = self.ends.get(begin).copied() else { return };
        let Some(end) = self.ends.get(middle).copied() else { return };
        if let Some(found) = self.ends.get_mut(begin) {
            *found = end;
        }
        if let Some(found) = self.before.get_mut(end) {
            *found = begin;
        }
        self.contest.set(middle, None);
        self.contest.set(begin, self.union(bytes, begin));
        if begin > 0
            && let Some(before) = self.before.get(begin).copied()
        {
            self.contest.set(before, self.union(bytes, before));
        }
    }

    /// The rank of the part that begins here together with the next one.
    fn union(&self, bytes: &[u8], begin: usize) -> Option<Rank> {
        let middle = *self.ends.get(begin)?;
        let end = *self.ends.get(middle)?;
        self.vocabulary.rank(bytes.get(begin..end)?)
    }
}
