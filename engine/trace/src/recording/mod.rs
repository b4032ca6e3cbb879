//! A recording: an engine's events and states in one file, for later. Here is the format, and what writes it; the reader
//! reads it as it reads a segment. See `README.md`.

mod batch;
mod code;
mod crc;
mod file;
mod frame;
mod recorder;
mod rows;
mod tables;

pub(crate) use batch::BatchReader;
pub(crate) use code::{Code, Input};
pub(crate) use crc::crc32c;
pub use file::{RecordingFileError, create_recording};
pub(crate) use frame::{
    FRAME_HEAD, FrameHead, Gap, HEAD, Item, Kind, MAGIC, MARK, MOST_EVENTS, MOST_PAYLOAD, version,
};
pub use frame::{RECORDING_VERSION, RecordingEnd};
pub use recorder::Recorder;
pub(crate) use tables::Tables;
