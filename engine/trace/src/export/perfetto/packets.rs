//! Trace packets of one sequence: what stands in a Perfetto file, one after another.
//!
//! Numbers are those of `perfetto_trace.proto`. Names are written once and then called by number; when there are too
//! many of them the numbers begin again.

use crate::export::proto::Message;
use crate::value::{Fields, Value};
use std::collections::HashMap;
use std::io::{self, Write};

/// The sequence that all packets belong to. Any number but 0 and 1, the tracing service's own.
const SEQUENCE: u64 = 7;
/// `BUILTIN_CLOCK_REALTIME` and `BUILTIN_CLOCK_MONOTONIC`.
const REALTIME: u64 = 1;
const MONOTONIC: u64 = 3;
/// Names that are called by number at once.
const MOST_NAMES: usize = 1 << 14;

/// Fields of `TracePacket`.
mod packet {
    pub const CLOCK_SNAPSHOT: u32 = 6;
    pub const TIMESTAMP: u32 = 8;
    pub const TRUSTED_PACKET_SEQUENCE_ID: u32 = 10;
    pub const TRACK_EVENT: u32 = 11;
    pub const INTERNED_DATA: u32 = 12;
    pub const SEQUENCE_FLAGS: u32 = 13;
    pub const TIMESTAMP_CLOCK_ID: u32 = 58;
    pub const TRACE_PACKET_DEFAULTS: u32 = 59;
    pub const TRACK_DESCRIPTOR: u32 = 60;
    /// `SEQ_INCREMENTAL_STATE_CLEARED`, `SEQ_NEEDS_INCREMENTAL_STATE`.
    pub const CLEARED: u64 = 1;
    pub const NEEDS_STATE: u64 = 2;
}

/// Fields of `TrackEvent`.
mod track_event {
    pub const CATEGORY_IIDS: u32 = 3;
    pub const DEBUG_ANNOTATIONS: u32 = 4;
    pub const TYPE: u32 = 9;
    pub const NAME_IID: u32 = 10;
    pub const TRACK_UUID: u32 = 11;
    pub const COUNTER_VALUE: u32 = 30;
    pub const FLOW_IDS: u32 = 47;
    pub const TERMINATING_FLOW_IDS: u32 = 48;
}

/// Fields of `DebugAnnotation`.
mod annotation {
    pub const NAME_IID: u32 = 1;
    pub const BOOL: u32 = 2;
    pub const UINT: u32 = 3;
    pub const INT: u32 = 4;
    pub const DOUBLE: u32 = 5;
    pub const STRING: u32 = 6;
    pub const DICT_ENTRIES: u32 = 11;
    pub const ARRAY_VALUES: u32 = 12;
    pub const STRING_IID: u32 = 17;
}

/// What kind of name, by the field of `InternedData`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Table {
    Category = 1,
    Event = 2,
    Annotation = 3,
    Text = 29,
}

/// What happens on a track.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Begin,
    End,
    Instant,
    Counter(i64),
}

impl Kind {
    /// `TrackEvent.Type`.
    fn number(self) -> u64 {
        match self {
            Self::Begin => 1,
            Self::End => 2,
            Self::Instant => 3,
            Self::Counter(_) => 4,
        }
    }
}

/// A track event. What an end or a counter does not have stays empty.
#[derive(Debug)]
pub(super) struct TrackEvent<'a> {
    pub(super) at: u64,
    pub(super) track: u64,
    pub(super) kind: Kind,
    pub(super) name: &'a str,
    pub(super) category: &'static str,
    /// An arrow that begins here, and one that ends here.
    pub(super) flow: Option<u64>,
    pub(super) flow_end: Option<u64>,
    pub(super) args: &'a [(&'static str, Value)],
}

impl TrackEvent<'_> {
    pub(super) fn new(at: u64, track: u64, kind: Kind) -> Self {
        Self {
            at,
            track,
            kind,
            name: "",
            category: "",
            flow: None,
            flow_end: None,
            args: &[],
        }
    }
}

/// Writes packets.
#[derive(Debug)]
pub(super) struct Packets<W> {
    out: W,
    names: HashMap<(Table, String), u64>,
    /// Names that the next packet has to bring.
    news: Vec<(Table, u64, String)>,
    /// Whether a packet has said what holds for those after it.
    begun: bool,
    packet: Message,
}

impl<W: Write> Packets<W> {
    pub(super) fn new(out: W) -> Self {
        Self {
            out,
            names: HashMap::new(),
            news: Vec::new(),
            begun: false,
            packet: Message::default(),
        }
    }

    /// Says that stamps are those of `CLOCK_MONOTONIC`, and what time of day `at` was, if that is known.
    pub(super) fn clocks(&mut self, at: u64, wall: u64) -> io::Result<()> {
        self.packet.message(packet::CLOCK_SNAPSHOT, |snapshot| {
            for (clock, time) in [(MONOTONIC, at), (REALTIME, wall)] {
                if clock == MONOTONIC || time > 0 {
                    snapshot.message(1, |entry| {
                        entry.uint(1, clock);
                        entry.uint(2, time);
                    });
                }
            }
            snapshot.uint(2, MONOTONIC);
        });
        self.write()
    }

    /// Describes a track: `write` fills in the `TrackDescriptor`.
    pub(super) fn track(&mut self, uuid: u64, write: impl FnOnce(&mut Message)) -> io::Result<()> {
        self.packet.message(packet::TRACK_DESCRIPTOR, |track| {
            track.uint(1, uuid);
            write(track);
        });
        self.write()
    }

    pub(super) fn event(&mut self, event: &TrackEvent<'_>) -> io::Result<()> {
        if self.names.len() > MOST_NAMES {
            self.names.clear();
            self.begun = false;
        }
        let mut body = Message::default();
        body.uint(track_event::TYPE, event.kind.number());
        body.uint(track_event::TRACK_UUID, event.track);
        if !event.category.is_empty() {
            let category = self.name(Table::Category, event.category);
            body.uint(track_event::CATEGORY_IIDS, category);
        }
        if !event.name.is_empty() {
            let name = self.name(Table::Event, event.name);
            body.uint(track_event::NAME_IID, name);
        }
        if let Kind::Counter(value) = event.kind {
            body.int(track_event::COUNTER_VALUE, value);
        }
        for (key, value) in event.args {
            self.annotate(&mut body, track_event::DEBUG_ANNOTATIONS, Some(key), value);
        }
        if let Some(flow) = event.flow {
            body.fixed64(track_event::FLOW_IDS, flow);
        }
        if let Some(flow) = event.flow_end {
            body.fixed64(track_event::TERMINATING_FLOW_IDS, flow);
        }
        self.packet.uint(packet::TIMESTAMP, event.at);
        self.state();
        self.packet
            .message(packet::TRACK_EVENT, |to| to.append(&body));
        self.write()
    }

    pub(super) fn finish(mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// What the packet needs of those before it, and what it brings to those after it.
    fn state(&mut self) {
        let mut flags = packet::NEEDS_STATE;
        if !std::mem::replace(&mut self.begun, true) {
            flags |= packet::CLEARED;
            self.packet
                .message(packet::TRACE_PACKET_DEFAULTS, |defaults| {
                    defaults.uint(packet::TIMESTAMP_CLOCK_ID, MONOTONIC);
                });
        }
        self.packet.uint(packet::SEQUENCE_FLAGS, flags);
        if self.news.is_empty() {
            return;
        }
        let news = std::mem::take(&mut self.news);
        self.packet.message(packet::INTERNED_DATA, |data| {
            for (table, iid, name) in &news {
                data.message(*table as u32, |entry| {
                    entry.uint(1, *iid);
                    entry.text(2, name);
                });
            }
        });
    }

    /// The number of a name; the next packet brings it if it is new.
    fn name(&mut self, table: Table, name: &str) -> u64 {
        let next = self.names.len() as u64 + 1;
        let key = (table, name.to_owned());
        if let Some(&iid) = self.names.get(&key) {
            return iid;
        }
        self.news.push((table, next, name.to_owned()));
        self.names.insert(key, next);
        next
    }

    /// Adds an argument; what is not known, or has nothing in it, is left out.
    fn annotate(&mut self, to: &mut Message, field: u32, key: Option<&'static str>, value: &Value) {
        let is_empty = matches!(value, Value::Object(fields) if fields.is_empty());
        if is_empty || *value == Value::Unknown {
            return;
        }
        let mut body = Message::default();
        if let Some(key) = key {
            let name = self.name(Table::Annotation, key);
            body.uint(annotation::NAME_IID, name);
        }
        match value {
            Value::Str(text) => {
                let text = self.name(Table::Text, text);
                body.uint(annotation::STRING_IID, text);
            }
            Value::Num(n) => body.int(annotation::INT, *n),
            Value::Big(n) => body.uint(annotation::UINT, *n),
            Value::Float(x) => body.fixed64(annotation::DOUBLE, x.to_bits()),
            Value::Bool(yes) => body.uint(annotation::BOOL, u64::from(*yes)),
            // Every item has its own: not worth a number.
            Value::Hex(_) | Value::Bits(_) => body.text(annotation::STRING, &value.to_string()),
            Value::Object(fields) => self.entries(&mut body, fields),
            Value::List(values) => {
                for value in values {
                    self.annotate(&mut body, annotation::ARRAY_VALUES, None, value);
                }
            }
            Value::Unknown => {}
        }
        to.message(field, |to| to.append(&body));
    }

    fn entries(&mut self, to: &mut Message, fields: &Fields) {
        for (key, value) in fields {
            self.annotate(to, annotation::DICT_ENTRIES, Some(key), value);
        }
    }

    /// Writes the packet, as one of the file's, and begins the next.
    fn write(&mut self) -> io::Result<()> {
        self.packet
            .uint(packet::TRUSTED_PACKET_SEQUENCE_ID, SEQUENCE);
        let mut framed = Message::default();
        framed.message(1, |to| to.append(&self.packet));
        self.packet.clear();
        self.out.write_all(framed.as_bytes())
    }
}
