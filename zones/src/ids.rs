//! Dense indexes, one type per list of the [`Model`](crate::Model).
//!
//! A bare integer that crosses a module is a mistake waiting: every list of
//! the model has its own index type, made only while the model is built, so
//! an id in hand is always in range for the model it came from. Ids are not
//! stable across reloads; what must survive one is stored under names.

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident($int:ty);)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub struct $name($int);

        impl $name {
            /// How many there can be.
            pub const MAX: usize = <$int>::MAX as usize;

            /// The id of the `index`-th entry of its list.
            ///
            /// # Panics
            /// If the list is longer than the id can count; `resolve`
            /// refuses such a model first.
            #[must_use]
            pub fn new(index: usize) -> Self {
                Self(<$int>::try_from(index).expect("resolve bounds every list"))
            }

            /// Its place in the list.
            #[must_use]
            pub const fn index(self) -> usize {
                self.0 as usize
            }
        }
    )*};
}

ids! {
    /// Index of a datacenter.
    DatacenterId(u16);
    /// Index of a declared link, over all datacenters.
    LinkId(u16);
    /// Index of a balancer, over all datacenters.
    BalancerId(u16);
    /// Index of an interconnect.
    InterconnectId(u16);
    /// Index of a zone.
    ZoneId(u16);
    /// Index of a service, over all zones.
    ServiceId(u32);
    /// Index of a VIP, over all services.
    VipId(u32);
    /// Index of a node, over all services.
    NodeId(u32);
    /// Index of a target: everything that can be up or down.
    TargetId(u32);
    /// Index of a carrier that the policy refers to.
    CarrierId(u16);
    /// Index of a group of `clients:`.
    ClientGroupId(u16);
}
