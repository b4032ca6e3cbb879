//! What the kernel's workqueues do, row by row; a test is named after the row that it holds, as `s4_7_...`.

#[path = "conformance/s4_11.rs"]
mod s4_11;
#[path = "conformance/s4_7.rs"]
mod s4_7;
#[path = "conformance/s9_4.rs"]
mod s9_4;
#[path = "conformance/s9_5.rs"]
mod s9_5;
#[allow(
    dead_code,
    reason = "shared with the simulator's tests, which use all of it"
)]
#[path = "simulator/script.rs"]
mod script;
#[path = "conformance/seen.rs"]
mod seen;
