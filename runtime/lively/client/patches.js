// Patches of the page. One that fails does not keep the others from being made.

import { isKept } from "./busy.js";
import { KEY, call, create, get, isHandler, keyOf, parse, put, select, selectAll } from "./dom.js";
import { keepingFocus } from "./focus.js";
import { isSame, morph, morphChildren } from "./morph.js";

// Elements by their keys. Others than patches change the page, too: what is found
// here is looked at, and what is not is looked for.
const elements = new Map();
let isIndexed = false; // since the last frame came

function find(key) {
  const element = elements.get(key);
  if (element && get(element, "isConnected") && keyOf(element) === key) return element;
  if (isIndexed) return select(`[${KEY}="${CSS.escape(key)}"]`);
  isIndexed = true;
  elements.clear();
  for (const found of selectAll(`[${KEY}]`)) if (!elements.has(keyOf(found))) elements.set(keyOf(found), found);
  return elements.get(key);
}

const SVG = "http://www.w3.org/2000/svg";

// Markup comes as an array of one text.
const isMarkup = (payload) => Array.isArray(payload) && payload.length === 1;

const isStyle = (name) => name === "style" || name === KEY;

function setAttributes(element, attributes) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (!isHandler(name)) call(element, "setAttribute", name, value);
  }
}

function setStyle(element, style) {
  for (const [name, value] of Object.entries(style || {})) get(element, "style").setProperty(name, value);
}

// A script would run: one that was parsed does not.
function make(tag, isPicture) {
  if (/^([^:]*:)?script$/i.test(tag)) return parse("<script></script>").firstChild;
  return isPicture ? call(document, "createElementNS", SVG, tag) : create(tag);
}

function build([tag, key, attributes, style, text, children], isPicture) {
  const element = make(tag, isPicture || tag === "svg");
  if (key) call(element, "setAttribute", KEY, key);
  if (get(element, "nodeName") === "SCRIPT") return element;
  setAttributes(element, attributes);
  setStyle(element, style);
  if (text) put(element, "textContent", text);
  for (const child of children || []) call(element, "append", build(child, holdsPicture(element)));
  return element;
}

// Reports whether what is made within an element is part of an SVG picture.
const holdsPicture = (element) => get(element, "namespaceURI") === SVG && element.localName !== "foreignObject";

function replace(element, payload) {
  const isPicture = holdsPicture(get(element, "parentNode"));
  const next = isMarkup(payload) ? parse(payload[0], isPicture) : build(payload, isPicture);
  const only = isMarkup(payload) ? next.firstElementChild : next;
  if (only && isSame(element, only) && !get(only, "nextSibling") && !get(only, "previousSibling")) morph(element, only, true);
  else call(element, "replaceWith", ...(isMarkup(payload) ? [...next.childNodes] : [next]));
}

function fill(element, payload) {
  if (isMarkup(payload)) return morphChildren(element, parse(payload[0], holdsPicture(element)));
  const first = get(element, "firstChild");
  if (first && first.nodeType === Node.TEXT_NODE && !first.nextSibling) first.data = payload;
  else put(element, "textContent", payload);
}

const patches = [
  replace,
  (element) => call(element, "remove"),
  (element, [index, node]) => call(element, "insertBefore", build(node, holdsPicture(element)), get(element, "children")[index] || null),
  fill,
  (element, attributes) => {
    for (const name of call(element, "getAttributeNames")) {
      if (!isStyle(name) && !isKept(element, name) && !(name in attributes)) call(element, "removeAttribute", name);
    }
    setAttributes(element, attributes);
  },
  (element, style) => {
    call(element, "removeAttribute", "style");
    setStyle(element, style);
  },
];

export const changes = []; // what is done after the page has changed

export function apply(list) {
  isIndexed = false;
  keepingFocus(() => list.forEach(patch));
  for (const done of changes) done();
}

function patch([code, key, payload]) {
  try {
    const element = find(key);
    if (element) patches[code]?.(element, payload);
  } catch (error) {
    console.error(`lively: patch ${code} of "${key}":`, error);
  }
}
