//! What plugins share: reading their arguments against a model.
//!
//! `zones` reads the shape of arguments with [`Read`]; names of datacenters and
//! carriers in them mean something only beside a model. A [`Context`] is both:
//! every plugin looks names up, and complains about those that do not exist,
//! in the same words and with the same hints.

use std::sync::Arc;

use rhumb_zones::{
    CarrierId, DatacenterId, Diagnostics, Files, Location, Model, Read, Reader, Spanned, Tree, did_you_mean,
};

/// What names may be referred to, and where mistakes go.
pub(crate) struct Context<'a, 'o> {
    pub(crate) model: &'a Model,
    /// What policies name by path.
    pub(crate) files: &'a dyn Files,
    pub(crate) reader: &'a mut Reader<'o>,
}

impl Context<'_, '_> {
    /// Reads arguments; mistakes are reported.
    pub(crate) fn read<T: Read>(&mut self, arguments: &Tree) -> Option<T> {
        T::read(arguments, self.reader)
    }

    /// The datacenter of that name, which must exist.
    pub(crate) fn datacenter(&mut self, name: &Spanned<Arc<str>>) -> Option<DatacenterId> {
        let names = self.model.datacenters().iter().map(|datacenter| &*datacenter.name);
        self.find(name, names, "datacenter").map(DatacenterId::new)
    }

    /// The datacenters of those names, each at most once.
    pub(crate) fn datacenters(&mut self, names: &[Spanned<Arc<str>>]) -> Vec<DatacenterId> {
        let mut list = Vec::new();
        for name in names {
            match self.datacenter(name) {
                Some(datacenter) if list.contains(&datacenter) => {
                    self.wrong(&name.at, format!("{} must not stand here twice", name.value));
                }
                found => list.extend(found),
            }
        }
        list
    }

    /// The carrier of that name, which must exist.
    pub(crate) fn carrier(&mut self, name: &Spanned<Arc<str>>) -> Option<CarrierId> {
        let names = self.model.carriers().iter().map(|carrier| &*carrier.name);
        self.find(name, names, "carrier").map(CarrierId::new)
    }

    fn find<'n>(
        &mut self,
        name: &Spanned<Arc<str>>,
        names: impl Iterator<Item = &'n str> + Clone,
        noun: &str,
    ) -> Option<usize> {
        let found = names.clone().position(|known| known == &*name.value);
        if found.is_none() {
            let hint = did_you_mean(&name.value, names);
            self.reader.hinted(&name.at, format!("{:?} must be a {noun}", name.value), hint);
        }
        found
    }

    /// Reports mistakes of another file.
    pub(crate) fn append(&mut self, wrong: Diagnostics) {
        self.reader.append(wrong);
    }

    /// Reports a mistake.
    pub(crate) fn wrong(&mut self, at: &Location, what: impl Into<String>) {
        self.reader.wrong(at, what);
    }
}
