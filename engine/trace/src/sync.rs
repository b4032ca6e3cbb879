//! The atomics that the rings are made of: the standard library's, or loom's when a model is checked.

#[cfg(not(loom))]
pub(crate) use std::sync::atomic::fence;

#[cfg(loom)]
pub(crate) use loom::sync::atomic::fence;

pub(crate) use std::sync::atomic::Ordering;
