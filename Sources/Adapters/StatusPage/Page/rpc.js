// Calls of omnid's one service, by the Connect protocol with JSON: connectrpc.com/docs/protocol.
const SERVICE = "/omni.management.v1.ManagementService/";
// A peer that is not omnid must not fill the memory.
const MESSAGE_LIMIT = 64 << 20;

/** Why a call failed. `code` is Connect's name of the status. */
export class CallError extends Error {
  constructor(code, message, details = []) {
    super(message || code);
    this.code = code;
    this.findings = details
      .filter((detail) => detail.type === "google.rpc.PreconditionFailure")
      .flatMap((detail) => violations(detail.value));
  }

  /** The server does not know the session (any more). */
  get isUnknownCaller() {
    return this.code === "unauthenticated";
  }
}

function failure(text, status) {
  try {
    const { code, message, details } = JSON.parse(text);
    if (typeof code === "string") return new CallError(code, message, details);
  } catch {
    // Not omnid's words: a proxy's page, perhaps.
  }
  return new CallError(status === 401 ? "unauthenticated" : "unavailable", `the server answered with HTTP ${status}`);
}

async function post(method, type, body, signal, timeout) {
  const headers = { "content-type": type, "connect-protocol-version": "1" };
  if (timeout) headers["connect-timeout-ms"] = String(timeout);
  try {
    return await fetch(SERVICE + method, {
      method: "POST", headers, body, signal, credentials: "same-origin", cache: "no-store", redirect: "error",
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new CallError("unavailable", "the server cannot be reached");
  }
}

/** Calls a method with one answer. */
export async function unary(method, request = {}, { signal, timeout = 60_000 } = {}) {
  const response = await post(method, "application/json", JSON.stringify(request), signal, timeout);
  const text = await response.text();
  if (!response.ok) throw failure(text, response.status);
  return JSON.parse(text);
}

/**
 * Calls a method that answers with a stream: yields its messages, and returns when the stream has ended well.
 *
 * @param opened called when the server has begun to answer.
 */
export async function* stream(method, request, signal, opened = () => {}) {
  const response = await post(method, "application/connect+json", envelope(request), signal);
  if (!response.ok) throw failure(await response.text(), response.status);
  opened();
  const reader = response.body.getReader();
  const pieces = new Pieces();
  for (;;) {
    let piece;
    try {
      piece = await reader.read();
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new CallError("unavailable", "the connection to the server was lost");
    }
    if (piece.done) throw new CallError("unavailable", "the connection to the server was lost");
    pieces.add(piece.value);
    for (let message; (message = pieces.next()); ) {
      const value = JSON.parse(message.text);
      if (!message.isEnd) {
        yield value;
        continue;
      }
      if (value.error) throw new CallError(value.error.code, value.error.message, value.error.details);
      return;
    }
  }
}

function envelope(request) {
  const text = new TextEncoder().encode(JSON.stringify(request));
  const bytes = new Uint8Array(5 + text.length);
  new DataView(bytes.buffer).setUint32(1, text.length);
  bytes.set(text, 5);
  return bytes;
}

/** Bytes of a stream, cut into enveloped messages: a byte of flags, four of length, the message. */
class Pieces {
  #chunks = [];
  #count = 0;

  add(chunk) {
    this.#chunks.push(chunk);
    this.#count += chunk.length;
  }

  next() {
    if (this.#count < 5) return null;
    let bytes = this.#joined();
    const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(1);
    if (length > MESSAGE_LIMIT) throw new CallError("internal", "the server's message is too large");
    if (bytes.length < 5 + length) return null;
    const text = new TextDecoder().decode(bytes.subarray(5, 5 + length));
    const isEnd = (bytes[0] & 2) !== 0;
    bytes = bytes.subarray(5 + length);
    this.#chunks = bytes.length ? [bytes] : [];
    this.#count = bytes.length;
    return { text, isEnd };
  }

  #joined() {
    if (this.#chunks.length > 1) {
      const all = new Uint8Array(this.#count);
      let at = 0;
      for (const chunk of this.#chunks) {
        all.set(chunk, at);
        at += chunk.length;
      }
      this.#chunks = [all];
    }
    return this.#chunks[0];
  }
}

/** The violations of a google.rpc.PreconditionFailure: field 1, of type, subject, description. */
function violations(value) {
  try {
    const bytes = Uint8Array.from(atob(value), (letter) => letter.charCodeAt(0));
    return [...texts(bytes)].filter(([field]) => field === 1).map(([, violation]) => {
      const found = Object.fromEntries(
        [...texts(violation)].map(([field, text]) => [field, new TextDecoder().decode(text)]));
      return { type: found[1] ?? "", subject: found[2] ?? "", description: found[3] ?? "" };
    });
  } catch {
    return [];
  }
}

/** The length-delimited fields of a protobuf message. */
function* texts(bytes) {
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      if (at >= bytes.length) throw new RangeError("the message ends early");
      const byte = bytes[at++];
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
    throw new RangeError("a number is too long");
  };
  while (at < bytes.length) {
    const key = varint();
    if ((key & 7) !== 2) throw new RangeError("not a text");
    const length = varint();
    if (at + length > bytes.length) throw new RangeError("the message ends early");
    yield [key >>> 3, bytes.subarray(at, at + length)];
    at += length;
  }
}
