//! Interned names of cities: one text, one number each.

use rustc_hash::FxHashMap;

/// Names under dense numbers; 0 is no name.
#[derive(Clone, Default, Debug)]
pub(crate) struct Names {
    text: String,
    /// Where name `i + 1` ends; it starts where name `i` ends.
    ends: Vec<u32>,
}

impl Names {
    /// The name of that number.
    pub(crate) fn get(&self, number: u32) -> Option<&str> {
        let last = (number as usize).checked_sub(1)?;
        let start = last.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        self.text.get(start..self.ends[last] as usize)
    }

    /// Adds all of `other`, whose numbers all grow by the result.
    pub(crate) fn append(&mut self, other: &Self) -> u32 {
        let (names, bytes) = (to_u32(self.ends.len()), to_u32(self.text.len()));
        self.text.push_str(&other.text);
        self.ends.extend(other.ends.iter().map(|end| end + bytes));
        names
    }
}

/// Numbers names while a database is read.
#[derive(Default)]
pub(crate) struct Interner {
    names: Names,
    numbers: FxHashMap<Box<str>, u32>,
}

impl Interner {
    /// The number of `name`; 0 when it is empty.
    pub(crate) fn number(&mut self, name: &str) -> u32 {
        if name.is_empty() {
            return 0;
        }
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        self.names.text.push_str(name);
        self.names.ends.push(to_u32(self.names.text.len()));
        let number = to_u32(self.names.ends.len());
        self.numbers.insert(name.into(), number);
        number
    }

    /// All names so far.
    pub(crate) fn finish(self) -> Names {
        self.names
    }
}

fn to_u32(count: usize) -> u32 {
    u32::try_from(count).expect("a database is at most 4 GiB, so its names are")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_their_numbers() {
        let mut interner = Interner::default();
        let numbers = ["Paris", "", "Köln", "Paris"].map(|name| interner.number(name));
        assert_eq!(numbers, [1, 0, 2, 1]);
        let mut names = interner.finish();
        let more = names.clone();
        assert_eq!(names.append(&more), 2);
        let read: Vec<_> = (0..=4).map(|number| names.get(number)).collect();
        assert_eq!(read, [None, Some("Paris"), Some("Köln"), Some("Paris"), Some("Köln")]);
    }
}
