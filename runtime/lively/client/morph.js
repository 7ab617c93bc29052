// Morphing: an element becomes what new markup says and stays the same element, as
// far as it stands for the same thing, with what was typed into it.

import { isKept } from "./busy.js";
import { KEY, active, attribute, call, get, has, isHandler, put } from "./dom.js";

const IDENTITY = [KEY, "id", "href", "type", "name"];

// What a field begins with, and the property that the visitor changes.
const FIELDS = {
  INPUT: { defaultValue: "value", defaultChecked: "checked" },
  TEXTAREA: { defaultValue: "value" },
  OPTION: { defaultSelected: "selected" },
};

const isElement = (node) => get(node, "nodeType") === Node.ELEMENT_NODE;
const nameOf = (node) => (isElement(node) && (attribute(node, KEY) || attribute(node, "id"))) || "";

// Reports whether both stand for the same thing.
export function isSame(one, other) {
  if (get(one, "nodeName") !== get(other, "nodeName") || get(one, "namespaceURI") !== get(other, "namespaceURI")) return false;
  return !isElement(one) || IDENTITY.every((name) => attribute(one, name) === attribute(other, name));
}

// What somebody types into stays as it is, unless a patch names it.
export function morph(element, next, isNamed = false) {
  if (has(element, "data-live-keep")) return;
  const tag = get(element, "nodeName");
  const isTyped = !isNamed && active() === element;
  const fields = Object.entries(FIELDS[tag] || {});
  const before = fields.map(([initial]) => get(element, initial));
  morphAttributes(element, next);
  if (!isTyped || (tag !== "TEXTAREA" && !get(element, "isContentEditable"))) morphChildren(element, next);
  if (isTyped || get(element, "type") === "file") return;
  fields.forEach(([initial, current], n) => {
    const now = get(element, initial);
    if (now !== before[n]) put(element, current, now);
  });
}

function morphAttributes(element, next) {
  for (const name of call(element, "getAttributeNames")) {
    const isOpen = name === "open"; // by the visitor
    if (!has(next, name) && !isOpen && !isKept(element, name)) call(element, "removeAttribute", name);
  }
  for (const name of call(next, "getAttributeNames")) {
    const value = attribute(next, name);
    if (attribute(element, name) !== value && !isHandler(name)) call(element, "setAttribute", name, value);
  }
}

// What has a name moves to its new place; of the rest, each is the next one that
// stands for the same thing.
export function morphChildren(parent, fresh) {
  const named = new Map();
  for (const child of get(parent, "childNodes")) if (nameOf(child)) named.set(nameOf(child), child);
  let at = get(parent, "firstChild");
  for (const next of [...get(fresh, "childNodes")]) {
    const match = nameOf(next) ? named.get(nameOf(next)) : following(at, next);
    if (!match || !isSame(match, next)) {
      call(parent, "insertBefore", next, at);
      continue;
    }
    if (nameOf(next)) named.delete(nameOf(next));
    else at = removeUntil(parent, at, match);
    if (match === at) at = get(at, "nextSibling");
    else move(parent, match, at);
    if (isElement(match)) morph(match, next);
    else if (get(match, "data") !== get(next, "data")) put(match, "data", get(next, "data"));
  }
  removeUntil(parent, at, null);
  for (const rest of named.values()) call(rest, "remove");
}

function following(at, next) {
  while (at && (nameOf(at) || !isSame(at, next))) at = get(at, "nextSibling");
  return at;
}

// What has a name may still find its place.
function removeUntil(parent, at, end) {
  while (at !== end) {
    const next = get(at, "nextSibling");
    if (!nameOf(at)) call(parent, "removeChild", at);
    at = next;
  }
  return at;
}

// An element that is moved loses less than one that is taken out and put in again.
function move(parent, node, before) {
  call(parent, Element.prototype.moveBefore ? "moveBefore" : "insertBefore", node, before);
}
