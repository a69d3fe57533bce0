//! Chance from a seed: the same seed always gives the same document over the same rows.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// Random choices.
#[derive(Debug)]
pub struct Dice(StdRng);

impl Dice {
    /// Dice of a seed.
    pub fn new(seed: u64) -> Self {
        Self(StdRng::seed_from_u64(seed))
    }

    /// True in so many cases of a hundred.
    pub fn chance(&mut self, percent: u32) -> bool {
        self.0.random_ratio(percent, 100)
    }

    /// A number from `low` to `high`, both possible.
    pub fn between(&mut self, low: usize, high: usize) -> usize {
        self.0.random_range(low..=high)
    }

    /// One of these; none of nothing.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        if of.is_empty() { None } else { of.get(self.between(0, of.len() - 1)) }
    }

    /// A small number from `low` to `high`, both possible.
    pub fn small(&mut self, low: u16, high: u16) -> u16 {
        self.0.random_range(low..=high)
    }

    /// A copy of one of these; nothing to choose from panics.
    pub fn any<T: Clone>(&mut self, of: &[T]) -> T {
        self.pick(of).expect("something to choose from").clone()
    }

    /// Copies of `low` to `high` of these, in their order, as far as there are so many.
    pub fn some<T: Clone>(&mut self, of: &[T], low: usize, high: usize) -> Vec<T> {
        let mut left: Vec<&T> = of.iter().collect();
        let wanted = self.between(low, high);
        while left.len() > wanted {
            left.remove(self.between(0, left.len() - 1));
        }
        left.into_iter().cloned().collect()
    }
}
