//! The simulator: the engine's pure core on virtual CPUs and a virtual clock.

mod program;

pub use program::{
    Draw, ItemRef, Pace, ProducerAction, ProducerSpec, Program, SplitMix64, Step, WorkSpec,
    WorkqueueSpec, WqRef,
};
