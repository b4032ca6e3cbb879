//! The engine does what the kernel's tables say: one test for each row, named after its section.

#[path = "conformance/s10.rs"]
mod s10;
#[path = "conformance/s10_threads.rs"]
mod s10_threads;
#[path = "conformance/s2_5_limits.rs"]
mod s2_5_limits;
#[path = "conformance/s2_8.rs"]
mod s2_8;
#[path = "conformance/s3.rs"]
mod s3;
#[path = "conformance/s4_10.rs"]
mod s4_10;
#[path = "conformance/support.rs"]
mod support;
