//! Tests of waits explained from events.
