// The browser's end of a live connection. It needs no other script and no eval;
// without it, and while there is no connection, forms and links work as usual.
//
//   <html data-live="/lively" data-live-root="cart">  where to connect; the page
//   <p data-live-key="pieces">                        can be patched
//   <form data-live-submit="cart.add">                an event; also -click, -change, -input
//   <html data-live-load="cart.show">                 an event of each new connection
//   <a data-live-navigate href="/next">               navigation without loading; its
//                                                     value, if any, names the next page
//   <html data-live-script="allow">                   scripts of the server may run
//
// data-live-value on an element is the value of its event. The document gets the
// events lively:open, lively:close, lively:ended (cancel it, or the page is loaded
// again) and lively:unknown; <html data-live-state> is "open" or "closed".

const maxFrame = 64 << 10; // what an endpoint takes, if it was not told otherwise
const root = document.documentElement;
const utf8 = new TextEncoder();
const text = new TextDecoder("utf-8", { fatal: true });

// MessagePack, as much as the protocol needs.

function encode(value) {
  const bytes = [];
  const number = (size, set, n) => {
    const view = new DataView(new ArrayBuffer(size));
    view[set](0, n);
    bytes.push(...new Uint8Array(view.buffer));
  };
  const header = (length, fix, fixMax, wide16, wide32) => {
    if (length <= fixMax) bytes.push(fix | length);
    else if (length < 1 << 16) bytes.push(wide16), number(2, "setUint16", length);
    else bytes.push(wide32), number(4, "setUint32", length);
  };
  const add = (v) => {
    if (v === null || v === undefined) bytes.push(0xc0);
    else if (typeof v === "boolean") bytes.push(v ? 0xc3 : 0xc2);
    else if (typeof v === "number" && Number.isSafeInteger(v)) addInteger(v);
    else if (typeof v === "number") bytes.push(0xcb), number(8, "setFloat64", v);
    else if (Array.isArray(v)) header(v.length, 0x90, 15, 0xdc, 0xdd), v.forEach(add);
    else if (typeof v === "object") {
      const entries = Object.entries(v);
      header(entries.length, 0x80, 15, 0xde, 0xdf);
      for (const [key, element] of entries) add(key), add(element);
    } else {
      const raw = utf8.encode(String(v));
      header(raw.length, 0xa0, 31, 0xda, 0xdb);
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

function decode(buffer) {
  const view = new DataView(buffer);
  let at = 0;
  const number = (size, get) => {
    at += size;
    return Number(view[get](at - size));
  };
  const raw = (length) => {
    at += length;
    return new Uint8Array(buffer, at - length, length);
  };
  const string = (length) => text.decode(raw(length));
  const list = (length) => Array.from({ length }, next);
  const map = (length) => Object.fromEntries(Array.from({ length }, () => [next(), next()]));
  const wide = {
    0xc0: () => null,
    0xc2: () => false,
    0xc3: () => true,
    0xc4: () => raw(number(1, "getUint8")),
    0xc5: () => raw(number(2, "getUint16")),
    0xc6: () => raw(number(4, "getUint32")),
    0xca: () => number(4, "getFloat32"),
    0xcb: () => number(8, "getFloat64"),
    0xcc: () => number(1, "getUint8"),
    0xcd: () => number(2, "getUint16"),
    0xce: () => number(4, "getUint32"),
    0xcf: () => number(8, "getBigUint64"),
    0xd0: () => number(1, "getInt8"),
    0xd1: () => number(2, "getInt16"),
    0xd2: () => number(4, "getInt32"),
    0xd3: () => number(8, "getBigInt64"),
    0xd9: () => string(number(1, "getUint8")),
    0xda: () => string(number(2, "getUint16")),
    0xdb: () => string(number(4, "getUint32")),
    0xdc: () => list(number(2, "getUint16")),
    0xdd: () => list(number(4, "getUint32")),
    0xde: () => map(number(2, "getUint16")),
    0xdf: () => map(number(4, "getUint32")),
  };
  const next = () => {
    const kind = number(1, "getUint8");
    if (kind < 0x80) return kind;
    if (kind < 0x90) return map(kind & 15);
    if (kind < 0xa0) return list(kind & 15);
    if (kind < 0xc0) return string(kind & 31);
    if (kind >= 0xe0) return kind - 0x100;
    return wide[kind]();
  };
  return next();
}

// Patches.

const byKey = (key) => `[data-live-key="${CSS.escape(key)}"]`;
const find = (key) => document.querySelector(byKey(key));

const kept = (name) => name === "style" || name === "data-live-key";

function setAttribute(element, name, value) {
  if (!/^on/i.test(name)) element.setAttribute(name, value);
}

function setStyle(element, style) {
  for (const [name, value] of Object.entries(style || {})) element.style.setProperty(name, value);
}

// Markup comes as an array of one text. Its scripts do not run.
const isMarkup = (payload) => Array.isArray(payload) && payload.length === 1;

function build(payload) {
  if (isMarkup(payload)) {
    const template = document.createElement("template");
    template.innerHTML = payload[0];
    return template.content;
  }
  const [tag, key, attributes, style, content, children] = payload;
  const element = document.createElement(tag);
  if (key) element.dataset.liveKey = key;
  for (const [name, value] of Object.entries(attributes || {})) setAttribute(element, name, value);
  setStyle(element, style);
  if (content) element.textContent = content;
  for (const child of children || []) element.append(build(child));
  return element;
}

const patches = [
  (element, payload) => element.replaceWith(build(payload)),
  (element) => element.remove(),
  (element, [index, node]) => element.insertBefore(build(node), element.children[index] || null),
  (element, payload) => {
    if (isMarkup(payload)) element.replaceChildren(build(payload));
    else element.textContent = payload;
  },
  (element, attributes) => {
    for (const name of element.getAttributeNames()) {
      if (!kept(name) && !(name in attributes)) element.removeAttribute(name);
    }
    for (const [name, value] of Object.entries(attributes)) setAttribute(element, name, value);
  },
  (element, style) => {
    element.removeAttribute("style");
    setStyle(element, style);
  },
];

function apply(list) {
  const restoreFocus = rememberFocus();
  for (const [code, key, payload] of list) {
    const element = find(key);
    if (element && patches[code]) patches[code](element, payload);
  }
  restoreFocus();
}

// Where the patches put a new element in the place of the one that has the focus,
// it gets that, with the selection of its text. A link has to lead to the same page.
function rememberFocus() {
  const active = document.activeElement;
  const successor = place(active);
  const { selectionStart, selectionEnd } = active || {};
  return () => {
    if (!active || active.isConnected) return;
    const next = successor();
    if (!next || ["tagName", "type", "href"].some((name) => next[name] !== active[name])) return;
    next.focus({ preventScroll: true });
    if (typeof selectionStart === "number") next.setSelectionRange(selectionStart, selectionEnd);
  };
}

// Finds what stands where the element stands now: by the nearest id or key, and
// the way down from there.
function place(element) {
  const way = [];
  for (let at = element; at?.parentElement; at = at.parentElement) {
    const anchor = at.id ? "#" + CSS.escape(at.id) : at.dataset.liveKey && byKey(at.dataset.liveKey);
    if (anchor) return () => way.reduce((from, index) => from?.children[index], document.querySelector(anchor));
    way.unshift([...at.parentElement.children].indexOf(at));
  }
  return () => null;
}

// The connection.

let socket = null;
let attempts = 0;
let timer = 0;
let stopped = false; // the page is going away
const fetches = new Set(); // of cookies, under way

const isOpen = () => socket !== null && socket.readyState === WebSocket.OPEN;

// Reports whether the frame is on its way.
function send(frame) {
  if (!isOpen()) return false;
  const bytes = encode(frame);
  if (bytes.length > maxFrame) return false;
  socket.send(bytes);
  return true;
}

function tell(name, detail) {
  return document.dispatchEvent(new CustomEvent("lively:" + name, { detail, cancelable: true }));
}

function connect() {
  clearTimeout(timer);
  if (stopped || (socket !== null && socket.readyState <= WebSocket.OPEN)) return;
  const url = new URL(root.dataset.live || "/lively", location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  const current = new WebSocket(url);
  let openedAt = 0;
  socket = current;
  current.binaryType = "arraybuffer";
  current.onopen = () => {
    openedAt = Date.now();
    root.dataset.liveState = "open";
    tell("open");
    if (root.dataset.liveLoad) send([100, page(), page(), root.dataset.liveLoad, null, true]);
  };
  current.onmessage = (message) => receive(message.data);
  current.onclose = async (event) => {
    root.dataset.liveState = "closed";
    if (openedAt && Date.now() - openedAt > 5000) attempts = 0;
    tell("close", { code: event.code, reason: event.reason });
    await Promise.allSettled(fetches); // the browser gets its new cookie first
    if (socket === current) closed(event);
  };
}

function closed({ code, reason }) {
  if (stopped) return;
  if (unanswered > 0) {
    load(wanted);
  } else if (code === 1008) {
    if (tell("ended", { reason })) load(location.href);
  } else if (code === 1001 && reason === "idle") {
    whenBack(connect);
  } else {
    const wait = Math.min(30000, 250 * 2 ** Math.min(attempts++, 10));
    timer = setTimeout(connect, wait / 2 + (Math.random() * wait) / 2);
  }
}

// Calls once the visitor does something with the page.
function whenBack(call) {
  const signs = ["pointerdown", "keydown", "focusin", "visibilitychange"];
  const back = () => {
    if (document.visibilityState !== "visible") return;
    for (const sign of signs) document.removeEventListener(sign, back, true);
    call();
  };
  for (const sign of signs) document.addEventListener(sign, back, true);
}

const pathOf = (url) => url.pathname + url.search;

// Loads a page of this origin, also where the address is that of this one.
function load(path) {
  const url = new URL(path, location.href);
  if (url.origin !== location.origin) return;
  stopped = true;
  if (pathOf(url) === pathOf(location)) location.replace(pathOf(url));
  else location.assign(pathOf(url));
}

// A page that was loaded a moment ago is of no other version than the program: to
// load it again would go on forever.
function unknown([component, reload]) {
  if (!tell("unknown", { component }) || !reload) return;
  if (performance.now() > 5000) load(location.href);
  else console.warn(`lively: the program does not know an event of "${component}"`);
}

function receive(data) {
  let opcode, fields;
  try {
    [opcode, ...fields] = decode(data);
  } catch {
    socket.close(4000, "malformed frame");
    return;
  }
  receivers[opcode]?.(...fields);
}

// What a program of a later version sends besides is left out.
const receivers = { 1: apply, 101: run, 121: show, 150: unknown, 170: synchronise };

// The answer's Set-Cookie reaches the browser, not this script. A POST says of
// which origin it is, also over plain HTTP.
function synchronise(path) {
  const url = new URL(path, location.href);
  if (url.origin !== location.origin) return;
  const under = fetch(url, {
    method: "POST", mode: "same-origin", credentials: "same-origin", cache: "no-store", redirect: "error", keepalive: true,
  });
  fetches.add(under);
  under.catch(() => {}).finally(() => fetches.delete(under));
}

function run(code, variable, timeout, wait, uid) {
  let value = null;
  let fault = null;
  try {
    if (root.dataset.liveScript !== "allow") throw new Error("this page runs no scripts of the server");
    (0, eval)(code);
    if (variable) value = (0, eval)(variable);
    if (wait) encode(value);
  } catch (error) {
    value = null;
    fault = String(error);
  }
  if (wait) send([111, value, fault, uid]);
}

// Navigation.

let shown = pathOf(location); // the page that can be seen
let wanted = ""; // the page that was asked for last
let unanswered = 0; // how many times one was asked for
let traversed = false; // the browser has the address already: the visitor went back or forward

function navigate(path, next, traverses) {
  if (!send([120, page() || null, next, path, {}])) {
    load(path);
    return;
  }
  wanted = path;
  traversed = traverses;
  unanswered++;
}

function show(path, reload, component, list, final) {
  if (reload) {
    load(path);
    return;
  }
  apply(list);
  if (!final) return;
  if (component) root.dataset.liveRoot = component;
  shown = pathOf(new URL(path, location.href));
  if (shown !== pathOf(location)) move(traversed);
  unanswered = Math.max(0, unanswered - 1);
  if (unanswered === 0) traversed = false;
}

function move(inPlace) {
  if (inPlace) {
    history.replaceState(null, "", shown);
    return;
  }
  history.pushState(null, "", shown);
  scrollTo(0, 0); // and the focus, as where a page is loaded
  document.querySelector("[autofocus]")?.focus();
}

// Events of the visitor.

const page = () => root.dataset.liveRoot || "";

function fieldsOf(form, submitter) {
  const fields = Object.create(null); // a field may have any name
  for (const [name, field] of new FormData(form, submitter)) {
    const value = typeof field === "string" ? field : field.name;
    if (!(name in fields)) fields[name] = value;
    else fields[name] = [].concat(fields[name], value);
  }
  return fields;
}

function valueOf(element, event) {
  if (element.dataset.liveValue !== undefined) return element.dataset.liveValue;
  if (element instanceof HTMLFormElement) return fieldsOf(element, event.submitter);
  if (element.type === "checkbox") return element.checked;
  return element.value === undefined ? null : element.value;
}

function listen(type) {
  const attribute = "data-live-" + type;
  document.addEventListener(type, (event) => {
    const element = event.target.closest?.(`[${attribute}]`);
    if (!element || event.defaultPrevented) return;
    const holder = element.closest("[data-live-key]");
    const key = holder ? holder.dataset.liveKey : "";
    const sent = send([100, page(), key, element.getAttribute(attribute), valueOf(element, event), false]);
    if (sent && (type === "submit" || type === "click")) event.preventDefault();
  });
}

["click", "submit", "change", "input"].forEach(listen);

// What opens elsewhere, leaves the origin or points into a page is the browser's.
function isOurs(link, event) {
  const modified = event.ctrlKey || event.metaKey || event.shiftKey || event.altKey;
  const elsewhere = (link.target && link.target !== "_self") || link.hasAttribute("download");
  return event.button === 0 && !modified && !elsewhere && link.origin === location.origin && !link.hash;
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-live-navigate]");
  if (!link || !isOpen() || event.defaultPrevented || !isOurs(link, event)) return;
  event.preventDefault();
  navigate(pathOf(link), link.dataset.liveNavigate || null, false);
});

addEventListener("popstate", () => {
  if (pathOf(location) !== shown) navigate(pathOf(location), null, true);
});

addEventListener("pagehide", () => {
  stopped = true;
  clearTimeout(timer);
  socket?.close(1000);
});

addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  stopped = false;
  socket = null;
  connect();
});

connect();
