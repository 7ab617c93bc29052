// Events that come in numbers: data-live-debounce and data-live-throttle, in ms.

import { attribute } from "./dom.js";

const paused = new Map(); // by element: what is sent once there is a pause
const slowed = new Map(); // by element: what is sent once the time is over, null for nothing

export function timed(element, send) {
  const debounce = attribute(element, "data-live-debounce");
  const throttle = attribute(element, "data-live-throttle");
  if (debounce !== null) pause(element, +debounce || 300, send);
  else if (throttle !== null) slow(element, +throttle || 300, send);
  else send();
}

function pause(element, wait, send) {
  clearTimeout(paused.get(element)?.timer);
  paused.set(element, { send, timer: setTimeout(release, wait, element) });
}

// Sends what waits for a pause.
export function release(element) {
  const waits = paused.get(element);
  if (!waits) return;
  paused.delete(element);
  clearTimeout(waits.timer);
  waits.send();
}

export function releaseAll(within) {
  for (const element of paused.keys()) if (within(element)) release(element);
}

// The first one is sent at once, the last one in the end.
function slow(element, wait, send) {
  if (slowed.has(element)) {
    slowed.set(element, send);
    return;
  }
  send();
  slowed.set(element, null);
  setTimeout(() => {
    const latest = slowed.get(element);
    slowed.delete(element);
    if (latest) slow(element, wait, latest);
  }, wait);
}
