// Reads certificates in the browser: PEM and DER (X.690), as far as X.509 (RFC 5280) needs it here, and credentials out
// of a kubeconfig, a talosconfig or PEM. Nothing is sent anywhere.

const FILE_LIMIT = 1 << 20;
const MOST_CERTIFICATES = 64;

export class Unreadable extends Error {}

/** The client certificate of a file, the CAs that the file trusts, and whether a private key stands in it. */
export async function credentialsOf(text) {
  if (text.length > FILE_LIMIT) throw new Unreadable("The file is larger than 1 MiB: that is no kubeconfig.");
  const field = (name) => [...text.matchAll(new RegExp(`^[ \\t-]*${name}:[ \\t]*["']?([A-Za-z0-9+/=]+)["']?[ \\t]*$`, "gm"))];
  const clients = [...field("client-certificate-data"), ...field("crt")].flatMap(([, data]) => pemBlocks(base64Text(data)));
  const authorities = [...field("certificate-authority-data"), ...field("ca")].flatMap(([, data]) => pemBlocks(base64Text(data)));
  const plain = pemBlocks(text);
  if (!clients.length && plain.length) clients.push(plain[0]), authorities.push(...plain.slice(1));
  if (!clients.length) {
    if (/client-certificate:|exec:|token:|auth-provider:/.test(text)) {
      throw new Unreadable("There is no client certificate in the file: it names a file, a token or a program instead.");
    }
    throw new Unreadable("There is no client certificate in this: a kubeconfig has it as client-certificate-data, a talosconfig as crt.");
  }
  return {
    clients: await readAll(clients), authorities: await readAll(authorities),
    hasKey: /client-key-data:|^[ \t]*key:|PRIVATE KEY/m.test(text),
  };
}

async function readAll(blocks) {
  const seen = new Map();
  for (const block of blocks.slice(0, MOST_CERTIFICATES)) {
    const certificate = await read(block);
    seen.set(certificate.fingerprint, certificate);
  }
  return [...seen.values()];
}

function base64Bytes(text) {
  try {
    return Uint8Array.from(atob(text.replace(/\s+/g, "")), (letter) => letter.charCodeAt(0));
  } catch {
    throw new Unreadable("What should be base64 is not.");
  }
}

const base64Text = (text) => new TextDecoder().decode(base64Bytes(text));

function pemBlocks(text) {
  return [...text.matchAll(/-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/g)]
    .map(([, body]) => base64Bytes(body));
}

/** One certificate: what is needed of RFC 5280 section 4.1. */
async function read(bytes) {
  try {
    const certificate = new Reader(bytes).take(0x30);
    const outer = new Reader(certificate.content);
    const signed = outer.take(0x30);
    const signatureAlgorithm = oid(new Reader(outer.take(0x30).content).take(0x06).content);
    const signature = outer.take(0x03).content.subarray(1);
    const body = new Reader(signed.content);
    if (body.peek === 0xa0) body.take(0xa0);
    const serial = body.take(0x02).content;
    body.take(0x30);
    const issuer = body.take(0x30);
    const validity = new Reader(body.take(0x30).content);
    const [notBefore, notAfter] = [validity.time(), validity.time()];
    const subject = body.take(0x30);
    const key = body.take(0x30);
    const { subjectKey, authorityKey, isAuthority } = extensions(body);
    return {
      bytes, fingerprint: await sha256(certificate.whole), serial: hex(serial).replace(/^(00)+(?=.)/, ""),
      issuer: name(issuer.content), subject: name(subject.content), notBefore, notAfter, subjectKey, authorityKey,
      isAuthority, signed: signed.whole, signature, signatureAlgorithm, key: key.whole,
    };
  } catch (error) {
    if (error instanceof Unreadable) throw error;
    throw new Unreadable("The certificate cannot be read: it is damaged, or none.");
  }
}

/** The key identifiers (RFC 5280 sections 4.2.1.1 and 4.2.1.2), and whether it is a CA (4.2.1.9). */
function extensions(body) {
  const found = { subjectKey: "", authorityKey: "", isAuthority: false };
  while (!body.isAtEnd) {
    const part = body.any();
    if (part.tag !== 0xa3) continue;
    const list = new Reader(new Reader(part.content).take(0x30).content);
    while (!list.isAtEnd) {
      const extension = new Reader(list.take(0x30).content);
      const kind = oid(extension.take(0x06).content);
      if (extension.peek === 0x01) extension.take(0x01);
      const value = new Reader(extension.take(0x04).content);
      if (kind === "2.5.29.14") found.subjectKey = hex(value.take(0x04).content);
      if (kind === "2.5.29.35") {
        const inner = new Reader(value.take(0x30).content);
        if (inner.peek === 0x80) found.authorityKey = hex(inner.take(0x80).content);
      }
      if (kind === "2.5.29.19") {
        const inner = new Reader(value.take(0x30).content);
        found.isAuthority = inner.peek === 0x01 && inner.take(0x01).content[0] !== 0;
      }
    }
  }
  return found;
}

/** DER values one after another. Whatever does not fit is an error. */
class Reader {
  #bytes;
  #at = 0;

  constructor(bytes) {
    this.#bytes = bytes;
  }

  get isAtEnd() {
    return this.#at >= this.#bytes.length;
  }

  get peek() {
    return this.#bytes[this.#at];
  }

  any() {
    const start = this.#at;
    const tag = this.#byte();
    let length = this.#byte();
    if (length > 0x7f) {
      const count = length & 0x7f;
      if (count === 0 || count > 3) throw new RangeError("length");
      length = 0;
      for (let index = 0; index < count; index++) length = length * 256 + this.#byte();
    }
    const begin = this.#at;
    if (begin + length > this.#bytes.length) throw new RangeError("end");
    this.#at = begin + length;
    return { tag, content: this.#bytes.subarray(begin, this.#at), whole: this.#bytes.subarray(start, this.#at) };
  }

  take(tag) {
    const value = this.any();
    if (value.tag !== tag) throw new RangeError("tag");
    return value;
  }

  /** UTCTime or GeneralizedTime, as RFC 5280 section 4.1.2.5 has them. */
  time() {
    const { tag, content } = this.any();
    const text = String.fromCharCode(...content);
    const parts = (tag === 0x17 ? /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/ : /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/).exec(text);
    if (!parts) throw new RangeError("time");
    const [year, month, day, hour, minute, second] = parts.slice(1).map(Number);
    const full = tag === 0x17 ? year + (year < 50 ? 2000 : 1900) : year;
    return new Date(Date.UTC(full, month - 1, day, hour, minute, second));
  }

  #byte() {
    if (this.isAtEnd) throw new RangeError("end");
    return this.#bytes[this.#at++];
  }
}

const hex = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");

async function sha256(bytes) {
  return hex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
}

function oid(bytes) {
  const numbers = [];
  let value = 0;
  for (const byte of bytes) {
    value = value * 128 + (byte & 127);
    if (byte < 128) numbers.push(value), (value = 0);
  }
  const first = Math.min(2, Math.floor(numbers[0] / 40));
  return [first, numbers[0] - first * 40, ...numbers.slice(1)].join(".");
}

const attributes = { "2.5.4.3": "CN", "2.5.4.10": "O", "2.5.4.11": "OU" };

/** `O=os:admin, CN=ann`: the attributes that say anything here. */
function name(bytes) {
  const parts = [];
  const sets = new Reader(bytes);
  while (!sets.isAtEnd) {
    const set = new Reader(sets.take(0x31).content);
    while (!set.isAtEnd) {
      const pair = new Reader(set.take(0x30).content);
      const kind = oid(pair.take(0x06).content);
      const text = new TextDecoder().decode(pair.any().content);
      if (attributes[kind]) parts.push(`${attributes[kind]}=${text}`);
    }
  }
  return parts.join(", ");
}

/** Elliptic curves by their object identifiers, and how long a number of theirs is. */
const curves = { "1.2.840.10045.3.1.7": ["P-256", 32], "1.3.132.0.34": ["P-384", 48], "1.3.132.0.35": ["P-521", 66] };
const hashes = {
  "1.2.840.10045.4.3.2": "SHA-256", "1.2.840.10045.4.3.3": "SHA-384", "1.2.840.10045.4.3.4": "SHA-512",
  "1.2.840.113549.1.1.11": "SHA-256", "1.2.840.113549.1.1.12": "SHA-384", "1.2.840.113549.1.1.13": "SHA-512",
};

/** Whether the CA has signed the certificate; null when this browser cannot tell. */
export async function isSignedBy(certificate, authority) {
  try {
    const algorithm = new Reader(new Reader(new Reader(authority.key).take(0x30).content).take(0x30).content);
    const kind = oid(algorithm.take(0x06).content);
    const hash = hashes[certificate.signatureAlgorithm];
    let signature = certificate.signature;
    let how;
    if (kind === "1.3.101.112") how = [{ name: "Ed25519" }, { name: "Ed25519" }];
    else if (kind === "1.2.840.113549.1.1.1") how = [{ name: "RSASSA-PKCS1-v1_5", hash }, { name: "RSASSA-PKCS1-v1_5" }];
    else if (kind === "1.2.840.10045.2.1") {
      const [namedCurve, size] = curves[oid(algorithm.take(0x06).content)];
      how = [{ name: "ECDSA", namedCurve }, { name: "ECDSA", hash }];
      const numbers = new Reader(new Reader(signature).take(0x30).content);
      signature = new Uint8Array(2 * size);
      for (const end of [size, 2 * size]) {
        const number = numbers.take(0x02).content;
        const trimmed = number.subarray(number.findIndex((byte) => byte !== 0));
        signature.set(trimmed, end - trimmed.length);
      }
    } else return null;
    const key = await crypto.subtle.importKey("spki", authority.key, how[0], false, ["verify"]);
    return await crypto.subtle.verify(how[1], key, signature, certificate.signed);
  } catch {
    return null;
  }
}

export const pem = (bytes) => `-----BEGIN CERTIFICATE-----\n${btoa(String.fromCharCode(...bytes)).replace(/(.{64})/g, "$1\n").trim()}\n-----END CERTIFICATE-----\n`;
