// The connection: it is opened, watched, and opened again.

import { call, get, listen, root, setting, tell } from "./dom.js";
import { decode, encode } from "./messagepack.js";

const PROTOCOL = "duckgen.live.1";
const QUIET = 25000; // ms without a frame after which the program is asked whether it is there
const PATIENCE = 5000; // ms that it has for an answer to that, and to an event before it is asked
const NEAR = 10000; // ms for which a page expects a connection back that broke

export const receivers = {}; // by opcode; what a later program sends besides is left out
export const pending = new Set(); // what has to be over before the page connects again

// What a page does around its connections: resume reports whether it goes elsewhere
// rather than to connect again, isWaiting whether an answer is due.
export const life = { greeting: () => "", closed() {}, resume: () => false, isWaiting: () => false };

let socket = null;
let openedAt = 0; // 0: not yet
let lostAt = 0;
let frames = 0; // that have come
let attempts = 0;
let timer = 0; // of the next attempt
let pulse = 0; // of the next look at the connection
let stopped = false; // the page is going away

export const isOpen = () => socket?.readyState === WebSocket.OPEN;

// Reports whether there is a connection, or is likely to be one in a moment: what
// the browser could do by itself does not wait for one any longer.
export const isNear = () => isOpen() || (!stopped && Date.now() - lostAt < NEAR);

// For development: how late a frame and its answer are together, in ms.
const lag = Number(setting("-latency")) / 2;
const late = lag ? (then) => setTimeout(then, lag) : (then) => then();

export function transmit(bytes) {
  const current = socket;
  late(() => current.readyState === WebSocket.OPEN && current.send(bytes));
  if (life.isWaiting()) rest();
}

// Reports whether the frame is on its way.
export function send(frame) {
  if (!isOpen()) return false;
  transmit(encode(frame));
  return true;
}

// Only to the page's own origin, whatever it says.
function endpoint() {
  const url = new URL(setting("") || "/lively", location.href);
  if (url.origin !== location.origin) throw new Error("lively: data-live is at another origin");
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url;
}

export function connect() {
  clearTimeout(timer);
  if (stopped || socket?.readyState <= WebSocket.OPEN) return;
  const current = new WebSocket(endpoint(), [PROTOCOL, life.greeting()]);
  socket = current;
  openedAt = 0;
  current.binaryType = "arraybuffer";
  root.dataset.liveState = "connecting";
  look(giveUp, 2 * PATIENCE);
  current.onopen = () => {
    openedAt = Date.now();
    root.dataset.liveState = "open";
    tell("open");
    rest();
  };
  current.onmessage = ({ data }) => late(() => socket === current && receive(data));
  current.onclose = ({ code, reason }) => late(() => closed(current, code, reason));
}

async function closed(current, code, reason) {
  if (socket !== current || current.isOver) return;
  current.isOver = true;
  clearTimeout(pulse);
  if (openedAt) lostAt = Date.now();
  if (openedAt && lostAt - openedAt > 5000) attempts = 0;
  root.dataset.liveState = "closed";
  life.closed();
  tell("close", { code, reason });
  await Promise.allSettled(pending); // the browser gets its new cookie first
  if (socket !== current || stopped || life.resume()) return;
  if (code === 1008) {
    if (tell("ended", { reason })) load(location.href);
  } else if (code === 1001 && reason === "idle") {
    whenBack(connect);
  } else {
    timer = setTimeout(connect, delay(code));
  }
}

// A program that restarts has said so: all its pages come back soon, but not at once.
function delay(code) {
  if (code === 1012) return 50 + Math.random() * 300;
  const most = Math.min(10000, 250 * 2 ** Math.min(attempts++, 10));
  return most / 2 + (Math.random() * most) / 2;
}

// A browser tells of no connection that is only half there.

function look(then, wait) {
  clearTimeout(pulse);
  pulse = setTimeout(then, wait);
}

function rest() {
  look(ask, life.isWaiting() ? PATIENCE : QUIET);
}

function ask() {
  const before = frames;
  if (!send([202])) return;
  look(() => (frames === before ? giveUp() : rest()), PATIENCE);
}

function giveUp() {
  const current = socket;
  current.close();
  closed(current, 1006, "no answer");
}

// Connects again, after the browser has got another cookie.
export const reconnect = (reason) => socket?.close(4001, reason);

function receive(data) {
  frames++;
  let opcode, fields;
  try {
    [opcode, ...fields] = decode(data);
  } catch {
    socket.close(4000, "malformed frame");
    return;
  }
  receivers[opcode]?.(...fields);
}

// Calls once the visitor does something with the page.
function whenBack(then) {
  const signs = ["pointerdown", "keydown", "focusin", "visibilitychange"];
  const back = () => {
    if (!isVisible()) return;
    for (const sign of signs) call(document, "removeEventListener", sign, back, true);
    then();
  };
  for (const sign of signs) listen(document, sign, back, true);
}

const isVisible = () => get(document, "visibilityState") === "visible";

// What may have changed the network is a reason to try at once.
function wake() {
  if (isOpen()) ask();
  else if (lostAt) connect();
}

listen(document, "visibilitychange", () => isVisible() && wake());
addEventListener("online", wake);
addEventListener("offline", wake);

export const pathOf = (url) => url.pathname + url.search;

// Loads a page of this origin, also where the address is that of this one.
export function load(path) {
  const url = new URL(path, location.href);
  if (url.origin !== location.origin) return;
  stopped = true;
  if (pathOf(url) === pathOf(location)) location.replace(pathOf(url));
  else location.assign(pathOf(url));
}

addEventListener("pagehide", () => {
  stopped = true;
  clearTimeout(timer);
  socket?.close(1000);
});

addEventListener("pageshow", ({ persisted }) => {
  if (!persisted) return;
  stopped = false;
  if (socket) closed(socket, 1000, "");
  connect();
});
