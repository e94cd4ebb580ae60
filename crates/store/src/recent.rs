//! A bounded map that remembers what was used last, with a promise a reader can count on.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;

/// The last things put or used: at least `capacity / 2` of them, at most `capacity`.
///
/// Two generations: when the young one is full it becomes the old one, and the old one is dropped.
/// Cheaper caches may drop what was put a moment ago; here, whoever puts up to half the capacity
/// finds all of it again, which a batch that fetches first and reads afterwards relies on.
#[derive(Clone, Debug)]
pub struct Recent<K, V> {
    half: usize,
    young: HashMap<K, V>,
    old: HashMap<K, V>,
}

impl<K: Hash + Eq, V> Recent<K, V> {
    /// An empty one that holds at most `capacity` things.
    pub fn new(capacity: usize) -> Self {
        Self { half: (capacity / 2).max(1), young: HashMap::new(), old: HashMap::new() }
    }

    /// Looks without counting it as a use.
    pub fn peek<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.young.get(key).or_else(|| self.old.get(key))
    }

    /// Whether this was put or used lately, so that using it again would change nothing.
    pub fn is_young<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.young.contains_key(key)
    }

    /// Looks and counts it as a use.
    pub fn get<Q: Hash + Eq + ?Sized>(&mut self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        if let Some((key, value)) = self.old.remove_entry(key) {
            self.put(key, value);
        }
        self.young.get(key)
    }

    /// Puts or replaces.
    pub fn put(&mut self, key: K, value: V) {
        self.old.remove(&key);
        if self.young.len() >= self.half && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }

    /// How many things it holds.
    pub fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Drops everything.
    pub fn clear(&mut self) {
        self.young.clear();
        self.old.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_the_capacity_is_always_found_again() {
        let mut recent = Recent::new(100);
        for n in 0..1_000 {
            recent.put(n, n);
            assert!(recent.len() <= 100);
            let lately = (n - 49).max(0)..=n;
            assert!(lately.into_iter().all(|k| recent.peek(&k) == Some(&k)), "after {n}");
        }
    }

    #[test]
    fn what_is_used_stays() {
        let mut recent = Recent::new(10);
        recent.put(-1, ());
        for n in 0..1_000 {
            recent.put(n, ());
            assert!(recent.get(&-1).is_some());
        }
        assert!(recent.peek(&0).is_none());
    }

    #[test]
    fn the_newest_value_wins_in_whatever_generation_the_old_one_is() {
        let mut recent = Recent::new(4);
        for round in 0..20 {
            recent.put(round % 3, round);
            assert_eq!(recent.peek(&(round % 3)), Some(&round));
        }
    }
}
