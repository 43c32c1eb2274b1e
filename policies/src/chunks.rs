//! A list of which copies share what is the same.
//!
//! A state is copied at every change of health, and of a hundred thousand
//! targets one is another then. So what is kept by target or service stands in
//! chunks behind reference counts: a copy costs a count per chunk, a change
//! the copy of one chunk, and where two lists differ is found by comparing
//! pointers first. A persistent tree was refused: deeper, and no cheaper at
//! these sizes.

use std::sync::Arc;

/// Entries per chunk: 16 KB of the largest, which copy in a microsecond, and
/// seven hundred counts for the targets of ten thousand services.
const SIZE: usize = 256;

/// A list in chunks of [`SIZE`]; the last may be shorter.
#[derive(Clone, Debug)]
pub(crate) struct Chunks<T> {
    chunks: Vec<Arc<[T]>>,
    len: usize,
}

impl<T> Default for Chunks<T> {
    fn default() -> Self {
        Self { chunks: Vec::new(), len: 0 }
    }
}

impl<T: Clone> Chunks<T> {
    /// So many times the same; equal chunks are one.
    pub(crate) fn filled(value: &T, len: usize) -> Self {
        let mut chunks = vec![Arc::from(vec![value.clone(); SIZE]); len / SIZE];
        chunks.extend((!len.is_multiple_of(SIZE)).then(|| Arc::from(vec![value.clone(); len % SIZE])));
        Self { chunks, len }
    }

    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn get(&self, index: usize) -> &T {
        &self.chunks[index / SIZE][index % SIZE]
    }

    /// The entry, to be changed; its chunk is one's own from now on.
    pub(crate) fn get_mut(&mut self, index: usize) -> &mut T {
        &mut Arc::make_mut(&mut self.chunks[index / SIZE])[index % SIZE]
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.chunks.iter().flat_map(|chunk| &**chunk)
    }
}

impl<T: Clone + PartialEq> Chunks<T> {
    /// Puts `value` there; says whether that is another one.
    pub(crate) fn set(&mut self, index: usize, value: T) -> bool {
        let is_news = *self.get(index) != value;
        if is_news {
            *self.get_mut(index) = value;
        }
        is_news
    }

    /// Where two lists of one length differ, ascending.
    pub(crate) fn differences(&self, other: &Self) -> impl Iterator<Item = usize> {
        let pairs = self.chunks.iter().zip(&other.chunks).enumerate();
        let other = pairs.filter(|(_, (a, b))| !Arc::ptr_eq(a, b));
        other.flat_map(|(chunk, (a, b))| {
            let differ = a.iter().zip(&**b).enumerate().filter(|(_, (a, b))| a != b);
            differ.map(move |(index, _)| chunk * SIZE + index)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_share_what_is_the_same() {
        for len in [0, 1, SIZE - 1, SIZE, SIZE + 1, 3 * SIZE + 7] {
            let before = Chunks::filled(&0, len);
            assert_eq!((before.len(), before.iter().count()), (len, len), "as long as asked for");
            let mut after = before.clone();
            let changed: Vec<usize> = [0, 255, 256, 700].into_iter().filter(|index| *index < len).collect();
            for &index in &changed {
                assert!(after.set(index, 1) && !after.set(index, 1), "news once");
            }
            assert_eq!(after.differences(&before).collect::<Vec<_>>(), changed, "of {len}");
            assert!(changed.iter().all(|&index| (*before.get(index), *after.get(index)) == (0, 1)), "apart");
            changed.iter().for_each(|&index| *after.get_mut(index) = 0);
            assert_eq!(after.differences(&before).count(), 0, "content counts, not the chunk");
        }
    }
}
