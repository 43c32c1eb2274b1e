//! What the server does against abuse, and what it tells of it: cookies,
//! extended errors, who may ask what.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

#[path = "../support/all.rs"]
mod support;

mod access;
mod configured;
mod cookies;
mod flood;
mod message;
mod outputs;
mod sharing;
