// Loads a trace into Perfetto's own engine and answers SQL about it, as one JSON document on the standard output:
// {"errors": [TEXT..], "answers": [{"columns": [..], "rows": [[..]..]}..]}.
//
// usage: node query.mjs FOLDER TRACE SQL..., where FOLDER holds engine_bundle.js and trace_processor.wasm of a release
// of the Perfetto UI. The bundle is a web worker: here it runs in a context that has what it asks of a browser, and is
// spoken to as the UI does, in length-prefixed protocol buffers (TraceProcessorRpc) over a message port.
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { createContext, runInContext } from 'node:vm';
import { MessageChannel } from 'node:worker_threads';

const [folder, trace, ...questions] = process.argv.slice(2);
const RPC = { method: 2, append: 101, query: 103, appended: 201, answered: 203, finalized: 209, fatal: 5 };
const METHOD = { append: 1, finalize: 2, query: 3 };
const PIECE = 1 << 20;

// Protocol buffers.
function varint(value) {
  const bytes = [];
  for (let rest = BigInt(value); ; rest >>= 7n) {
    const low = Number(rest & 127n);
    if (rest < 128n) return Buffer.from([...bytes, low]);
    bytes.push(low | 128);
  }
}
const number = (field, value) => Buffer.concat([varint(field * 8), varint(value)]);
const bytes = (field, body) => Buffer.concat([varint(field * 8 + 2), varint(body.length), body]);

class Reader {
  constructor(buffer) { this.buffer = buffer; this.at = 0; }
  get more() { return this.at < this.buffer.length; }
  varint() {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      if (!this.more) throw new RangeError('a number is cut off');
      const byte = this.buffer[this.at++];
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  }
  take(length) {
    if (this.at + length > this.buffer.length) throw new RangeError('a field is cut off');
    this.at += length;
    return this.buffer.subarray(this.at - length, this.at);
  }
  field() {
    const tag = Number(this.varint());
    const skip = { 0: () => this.varint(), 1: () => this.take(8), 2: () => this.take(Number(this.varint())), 5: () => this.take(4) };
    return { number: tag >> 3, value: skip[tag & 7]() };
  }
}
function* fields(buffer) {
  for (const reader = new Reader(buffer); reader.more;) yield reader.field();
}
const packed = (value) => {
  if (typeof value === 'bigint') return [value];
  const all = [];
  for (const reader = new Reader(value); reader.more;) all.push(reader.varint());
  return all;
};

// The engine, in something that looks like a worker of a browser.
const local = (url) => readFileSync(join(folder, basename(String(url))));
class Request {
  open(_method, url) { this.url = url; }
  send() {
    const file = local(this.url);
    this.status = 200;
    this.response = file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength);
  }
  setRequestHeader() {}
  getResponseHeader() { return null; }
}
class WorkerGlobalScope {}
const errors = [];
const quiet = { log() {}, info() {}, debug() {}, warn() {}, error: (...words) => errors.push(words.join(' ')) };
const page = new URL('http://local/engine_bundle.js');
const scope = {
  // Those of this realm: what the bundle makes is handed to Node's own functions.
  Array, ArrayBuffer, Error, Map, Object, Promise, RangeError, Set, TypeError, Uint8Array,
  MessageChannel, MessagePort, Response, TextDecoder, TextEncoder, URL, WebAssembly,
  clearTimeout, performance, setTimeout, WorkerGlobalScope,
  XMLHttpRequest: Request,
  console: quiet,
  fetch: async (url) => new Response(local(url), { headers: { 'content-type': 'application/wasm' } }),
  location: { href: page.href, origin: page.origin, host: page.host, protocol: page.protocol },
  navigator: { languages: ['en'] },
};
scope.self = scope.globalThis = scope;
createContext(scope);
runInContext(String(local('engine_bundle.js')), scope);
const { port1: theirs, port2: ours } = new MessageChannel();
scope.onmessage({ data: theirs });

let received = Buffer.alloc(0);
let listener = () => {};
ours.on('message', (chunk) => {
  received = Buffer.concat([received, Buffer.from(chunk)]);
  while (received.length > 0) {
    const reader = new Reader(received);
    let message;
    try { message = reader.field().value; } catch { return; }
    received = received.subarray(reader.at);
    listener(message);
  }
});

let sequence = 0;
// Sends a request; `answer` sees each field of the replies until it returns true.
function call(method, argument, answer) {
  return new Promise((resolve, reject) => {
    listener = (message) => {
      try {
        let done = false;
        for (const { number: n, value } of fields(message)) {
          if (n === RPC.fatal) throw new Error(String(value));
          done = answer(n, value) || done;
        }
        if (done) resolve();
      } catch (error) { reject(error); }
    };
    const body = Buffer.concat([number(1, sequence++), number(RPC.method, method), argument]);
    ours.postMessage(new Uint8Array(bytes(1, body)));
  });
}
function note(buffer, field) {
  for (const { number: n, value } of fields(buffer)) if (n === field && value.length) errors.push(String(value));
}

async function ask(sql) {
  const answer = { columns: [], rows: [] };
  const cells = [];
  await call(METHOD.query, bytes(RPC.query, bytes(1, Buffer.from(sql))), (n, value) => {
    let last = false;
    if (n !== RPC.answered) return false;
    for (const part of fields(value)) {
      if (part.number === 1) answer.columns.push(String(part.value));
      if (part.number === 2 && part.value.length) errors.push(`${sql}: ${part.value}`);
      if (part.number === 3) last = batch(part.value, cells) || last;
    }
    return last;
  });
  const width = answer.columns.length;
  for (let at = 0; at < cells.length; at += width) answer.rows.push(cells.slice(at, at + width));
  return answer;
}
// One batch of cells: their types in one list, the values of each type in a list of their own.
function batch(buffer, cells) {
  let types = [], numbers = [], floats = [], texts = [], last = false;
  for (const { number: n, value } of fields(buffer)) {
    if (n === 1) types = types.concat(packed(value));
    if (n === 2) numbers = numbers.concat(packed(value));
    if (n === 3) for (let at = 0; at < value.length; at += 8) floats.push(value.readDoubleLE(at));
    if (n === 5) texts = String(value).split('\0');
    if (n === 6) last = value === 1n;
  }
  const of = {
    1: () => null,
    2: () => Number(BigInt.asIntN(64, numbers.shift())),
    3: () => floats.shift(),
    4: () => texts.shift(),
  };
  for (const type of types) cells.push((of[type] ?? (() => '?'))());
  return last;
}

const data = readFileSync(trace);
for (let at = 0; at < data.length; at += PIECE) {
  await call(METHOD.append, bytes(RPC.append, data.subarray(at, at + PIECE)), (n, value) => {
    if (n === RPC.appended) note(value, 2);
    return n === RPC.appended;
  });
}
await call(METHOD.finalize, Buffer.alloc(0), (n, value) => {
  if (n === RPC.finalized) note(value, 1);
  return true;
});
const answers = [];
for (const sql of questions) answers.push(await ask(sql));
process.stdout.write(`${JSON.stringify({ errors, answers })}\n`, () => process.exit(0));
