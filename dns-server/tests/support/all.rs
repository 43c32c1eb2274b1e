//! What the tests with real programs share: a running server, `dig`'s
//! answers, a network of its own.
#![allow(dead_code, reason = "each test binary uses a part of it")]

pub(crate) mod dig;
pub(crate) mod network;
pub(crate) mod programs;
