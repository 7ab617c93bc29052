// The events of the page: each has a number and is answered. While there is no
// connection they wait, and are sent in order, at most once each.

import { life, pending, receivers, transmit } from "./connection.js";
import { mark, unmark } from "./busy.js";
import { KEY, call, keyOf, setting, tell } from "./dom.js";
import { encode } from "./messagepack.js";

const MAX = 64 << 10; // bytes of a frame that an endpoint takes, if it was not told otherwise
// What has become of an event; LOST: nobody knows.
const [DONE, FAILED, REFUSED, SUPERSEDED, LOST] = [0, 1, 3, 4, 5];

const random = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
const id = random(); // which the program's handlers see
const key = random(); // by which the program knows the page again
let queue = []; // those without an answer: sent ones, then others
let last = 0; // number that was given
let answered = 0; // number of the last one with an answer
let fetched = 0; // how often the page was told to fetch a cookie
let room = { events: 0, bytes: 0 }; // for those that are sent and have no answer
let greeted = false; // by the program, on this connection
let ready = false; // to send

export const greetings = []; // what is done on each connection before events are sent that waited

export const page = () => setting("-root") || "";

// Sends an event, or keeps it until there is a connection. Reports false if it is
// too large.
export function raise(name, value, element = null, more = {}) {
  const holder = element && call(element, "closest", `[${KEY}]`);
  const component = holder ? keyOf(holder) : element ? "" : page();
  const bytes = encode([100, page(), component, name, value, !element, 0, 0]).slice(0, -2);
  if (bytes.length + 18 > MAX) return false;
  const event = { name, element, bytes, number: 0, sent: false, ...more };
  if (more.first) queue.splice(queue.findIndex((other) => !other.number && !other.first) >>> 0, 0, event);
  else queue.push(event);
  mark(event);
  flush();
  return true;
}

function flush() {
  let { events, bytes } = room;
  for (const event of queue) {
    bytes -= event.bytes.length;
    if (!ready || (events !== room.events && bytes < 0) || events-- < 1) return;
    if (!event.sent) post(event);
  }
}

// An event that is sent again has another number, but not for the program's handlers.
function post(event) {
  event.number ||= ++last;
  event.origin ||= event.number;
  event.sent = true;
  transmit(new Uint8Array([...event.bytes, ...encode(event.number), ...encode(event.origin)]));
}

// Of what was sent the program has taken up what comes up to that number.
function takeBack(taken) {
  for (const event of queue) {
    if (event.number > taken) unsend(event);
  }
}

function unsend(event) {
  event.sent = false;
  event.number = 0;
}

// What is sent once more by its old number the program can tell.
function resolve(event, isKnown) {
  if (!isKnown && event.again) event.sent = false;
  else settle(event, LOST);
}

function drop(event, isDone) {
  queue = queue.filter((other) => other !== event);
  unmark(event, isDone);
}

function settle(event, outcome) {
  answered = Math.max(answered, event.number);
  drop(event, outcome === DONE);
  if (outcome === FAILED || outcome === SUPERSEDED) report("failed", event);
  if (outcome === LOST) report("lost", event);
}

function report(what, { name, element, origin }) {
  tell(what, { name, id: `${id}.${origin}` }, element || document);
}

// The program says which event it has taken up last, null if it knows nothing of
// the page: at first, and before it closes the connection.
receivers[200] = (taken, events, bytes) => {
  room = { events, bytes };
  takeBack(taken ?? Infinity);
  ready = !greeted;
  if (greeted) return;
  greeted = true;
  for (const event of queue) {
    if (event.sent) resolve(event, taken !== null);
  }
  for (const greet of greetings) greet();
  flush();
};

receivers[201] = (number, outcome) => {
  const event = queue.find((other) => other.number === number);
  if (!event) return;
  if (outcome === REFUSED || (outcome === SUPERSEDED && (event.again || event.first))) {
    ready = false;
    unsend(event);
  } else {
    settle(event, outcome);
    flush();
  }
};

life.greeting = () => ["duckgen.page", id, key, answered, fetched].join(".");
life.isWaiting = () => queue.some((event) => event.sent);
life.closed = () => {
  greeted = ready = false;
  for (const event of queue.filter((event) => event.first)) drop(event, false);
};

// The answer's Set-Cookie reaches the browser, not this script. A POST says of
// which origin it is, also over plain HTTP.
receivers[170] = (path) => {
  const url = new URL(path, location.href);
  if (url.origin !== location.origin) return;
  fetched++;
  const under = fetchCookie(url, Date.now() + 25000).finally(() => pending.delete(under));
  pending.add(under);
};

// A program that restarts may not answer yet. The ticket is good for 30 s.
async function fetchCookie(url, until) {
  try {
    const answer = await fetch(url, {
      method: "POST", mode: "same-origin", credentials: "same-origin", cache: "no-store", redirect: "error", keepalive: true,
    });
    if (answer.status < 500) return;
  } catch {}
  if (Date.now() > until) return;
  await new Promise((then) => setTimeout(then, 250));
  await fetchCookie(url, until);
}
