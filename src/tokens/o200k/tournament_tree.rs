//! Finds the lowest of many ranks. Each node of the tree is the better of its two children, so that a change takes a
//! step per level and the answer none.

use super::vocabulary::Rank;

/// Places with ranks, or without.
#[derive(Default)]
pub struct TournamentTree {
    /// The root is at 1, the children of `n` are at `2n` and `2n + 1`, the places in the last half.
    nodes: Vec<u64>,
}

/// Of a place without a rank.
const NOBODY: u64 = u64::MAX;

/// First its rank, then its place: of equals the first wins.
fn entry(place: usize, rank: Option<Rank>) -> u64 {
    rank.map_or(NOBODY, |rank| u64::from(rank) << 32 | place as u64 & 0xFFFF_FFFF)
}

impl TournamentTree {
    /// Resets the tree with these ranks, one for each place.
    pub fn begin(&mut self, ranks: impl ExactSizeIterator<Item = Option<Rank>>) {
        let half = ranks.len().next_power_of_two();
        self.nodes.clear();
        self.nodes.resize(half, NOBODY);
        self.nodes.extend(ranks.enumerate().map(|(place, rank)| entry(place, rank)));
        self.nodes.resize(2 * half, NOBODY);
        for node in (1..half).rev() {
            self.decide(node);
        }
    }

    /// Gives a place another rank.
    pub fn set(&mut self, place: usize, rank: Option<Rank>) {
        let mut node = self.nodes.len() / 2 + place;
        if let Some(found) = self.nodes.get_mut(node) {
            *found = entry(place, rank);
        }
        while node > 1 {
            node /= 2;
            if !self.decide(node) {
                return;
            }
        }
    }

    /// The place that ranks first.
    pub fn first(&self) -> Option<usize> {
        self.nodes.get(1).filter(|first| **first != NOBODY).map(|first| (first & 0xFFFF_FFFF) as usize)
    }

    /// Makes a node the better of its children; returns whether it changed.
    fn decide(&mut self, node: usize) -> bool {
        let Some([one, other]) =
            self.nodes.get(2 * node..2 * node + 2).and_then(|children| children.first_chunk())
        else {
            return false;
        };
        let better = *one.min(other);
        self.nodes.get_mut(node).is_some_and(|found| std::mem::replace(found, better) != better)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn first_of_equal_lowest_ranks_wins(
            mut ranks in proptest::collection::vec(proptest::option::of(0u32..9), 0..20),
            changes in proptest::collection::vec((any::<prop::sample::Index>(), proptest::option::of(0u32..9)), 0..20),
        ) {
            let mut contest = TournamentTree::default();
            contest.begin([None; 30].into_iter());
            contest.begin(ranks.clone().into_iter());
            let changes = if ranks.is_empty() { Vec::new() } else { changes };
            for (place, rank) in changes {
                let place = place.index(ranks.len());
                ranks[place] = rank;
                contest.set(place, rank);
                let wanted = (0..ranks.len()).filter(|place| ranks[*place].is_some()).min_by_key(|place| ranks[*place]);
                prop_assert_eq!(contest.first(), wanted);
            }
        }
    }
}
