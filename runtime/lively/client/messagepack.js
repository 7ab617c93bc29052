// MessagePack, as much as the protocol needs.

const utf8 = new TextEncoder();
const text = new TextDecoder("utf-8", { fatal: true });

export function encode(value) {
  const bytes = [];
  const number = (size, set, n) => {
    const view = new DataView(new ArrayBuffer(size));
    view[set](0, n);
    bytes.push(...new Uint8Array(view.buffer));
  };
  const header = (length, fix, fixMax, wide) => {
    if (length <= fixMax) bytes.push(fix | length);
    else bytes.push(wide), number(4, "setUint32", length);
  };
  const add = (v) => {
    if (v === null || v === undefined) bytes.push(0xc0);
    else if (typeof v === "boolean") bytes.push(v ? 0xc3 : 0xc2);
    else if (typeof v === "number" && Number.isSafeInteger(v)) addInteger(v);
    else if (typeof v === "number") bytes.push(0xcb), number(8, "setFloat64", v);
    else if (Array.isArray(v)) header(v.length, 0x90, 15, 0xdd), v.forEach(add);
    else if (typeof v === "object") {
      const entries = Object.entries(v);
      header(entries.length, 0x80, 15, 0xdf);
      for (const [key, element] of entries) add(key), add(element);
    } else {
      const raw = utf8.encode(String(v));
      header(raw.length, 0xa0, 31, 0xdb);
      for (const byte of raw) bytes.push(byte);
    }
  };
  const addInteger = (n) => {
    if (n >= 0 && n < 128) bytes.push(n);
    else if (n < 0 && n >= -32) bytes.push(0x100 + n);
    else bytes.push(0xd3), number(8, "setBigInt64", BigInt(n));
  };
  add(value);
  return new Uint8Array(bytes);
}

export function decode(buffer) {
  const view = new DataView(buffer);
  const bytes = new Uint8Array(buffer);
  let at = 0;
  const number = (size, get) => {
    at += size;
    return Number(view["get" + get](at - size));
  };
  const length = (size) => number(size, "Uint" + 8 * size);
  const raw = (length) => {
    at += length;
    if (at > bytes.length) throw new RangeError();
    return bytes.subarray(at - length, at);
  };
  const string = (length) => text.decode(raw(length));
  const list = (length) => {
    const elements = [];
    while (elements.length < length) elements.push(next());
    return elements;
  };
  const map = (length) => Object.fromEntries(Array.from({ length }, () => [next(), next()]));
  const wide = {
    0xc0: () => null,
    0xc2: () => false,
    0xc3: () => true,
    0xc4: () => raw(length(1)),
    0xc5: () => raw(length(2)),
    0xc6: () => raw(length(4)),
    0xca: () => number(4, "Float32"),
    0xcb: () => number(8, "Float64"),
    0xcc: () => length(1),
    0xcd: () => length(2),
    0xce: () => length(4),
    0xcf: () => number(8, "BigUint64"),
    0xd0: () => number(1, "Int8"),
    0xd1: () => number(2, "Int16"),
    0xd2: () => number(4, "Int32"),
    0xd3: () => number(8, "BigInt64"),
    0xd9: () => string(length(1)),
    0xda: () => string(length(2)),
    0xdb: () => string(length(4)),
    0xdc: () => list(length(2)),
    0xdd: () => list(length(4)),
    0xde: () => map(length(2)),
    0xdf: () => map(length(4)),
  };
  const next = () => {
    const kind = bytes[at++];
    if (kind < 0x80) return kind;
    if (kind < 0x90) return map(kind & 15);
    if (kind < 0xa0) return list(kind & 15);
    if (kind < 0xc0) return string(kind & 31);
    if (kind >= 0xe0) return kind - 0x100;
    return wide[kind]();
  };
  return next();
}
