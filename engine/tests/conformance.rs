//! What the kernel does, row by row: a test is named after the row that it holds, as `s10_...`.

#[path = "conformance/s10.rs"]
mod s10;
#[path = "conformance/s10_threads.rs"]
mod s10_threads;
