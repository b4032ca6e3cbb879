//! The engine does what the kernel's tables say: one test for each row, named after its section.

#[path = "conformance/proc.rs"]
mod proc;
#[path = "conformance/s10.rs"]
mod s10;
#[path = "conformance/s10_threads.rs"]
mod s10_threads;
#[path = "conformance/s11_1.rs"]
mod s11_1;
#[path = "conformance/s11_2.rs"]
mod s11_2;
#[path = "conformance/s11_3.rs"]
mod s11_3;
#[path = "conformance/s11_deadlock.rs"]
mod s11_deadlock;
#[path = "conformance/s2_1.rs"]
mod s2_1;
#[path = "conformance/s2_2.rs"]
mod s2_2;
#[path = "conformance/s2_2_destroy.rs"]
mod s2_2_destroy;
#[path = "conformance/s2_3.rs"]
mod s2_3;
#[path = "conformance/s2_3_calls.rs"]
mod s2_3_calls;
#[path = "conformance/s2_4.rs"]
mod s2_4;
#[path = "conformance/s2_4_disable.rs"]
mod s2_4_disable;
#[path = "conformance/s2_4_replaced.rs"]
mod s2_4_replaced;
#[path = "conformance/s2_5.rs"]
mod s2_5;
#[path = "conformance/s2_5_limits.rs"]
mod s2_5_limits;
#[path = "conformance/s2_6.rs"]
mod s2_6;
#[path = "conformance/s2_7.rs"]
mod s2_7;
#[path = "conformance/s2_8.rs"]
mod s2_8;
#[path = "conformance/s3.rs"]
mod s3;
#[path = "conformance/s4_10.rs"]
mod s4_10;
#[path = "conformance/s4_11.rs"]
mod s4_11;
#[path = "conformance/s4_6.rs"]
mod s4_6;
#[path = "conformance/s4_7.rs"]
mod s4_7;
#[path = "conformance/s4_8.rs"]
mod s4_8;
#[path = "conformance/s4_9.rs"]
mod s4_9;
#[path = "conformance/s5.rs"]
mod s5;
#[path = "conformance/s5_4_drain.rs"]
mod s5_4_drain;
#[path = "conformance/s5_flush.rs"]
mod s5_flush;
#[path = "conformance/s6.rs"]
mod s6;
#[path = "conformance/s9_2.rs"]
mod s9_2;
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
#[path = "conformance/support.rs"]
mod support;
