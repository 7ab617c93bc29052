// Patches of the page. One that fails does not keep the others from being made.

import { isKept } from "./busy.js";
import { KEY, MATH, SVG, call, create, get, isHandler, keyOf, parse, put, select, selectAll } from "./dom.js";
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
function make(tag, namespace) {
  if (/^([^:]*:)?script$/i.test(tag)) return parse("<script></script>").firstChild;
  return namespace ? call(document, "createElementNS", namespace, tag) : create(tag);
}

function build([tag, key, attributes, style, text, children], outer) {
  const namespace = { svg: SVG, math: MATH }[tag] || outer;
  const element = make(tag, namespace);
  if (key) call(element, "setAttribute", KEY, key);
  if (get(element, "nodeName") === "SCRIPT") return element;
  setAttributes(element, attributes);
  setStyle(element, style);
  if (text) put(element, "textContent", text);
  for (const child of children || []) call(element, "append", build(child, inner(element)));
  return element;
}

// The namespace of what is made within an element; none: that of HTML.
function inner(element) {
  const namespace = get(element, "namespaceURI");
  return (namespace === SVG || namespace === MATH) && get(element, "localName") !== "foreignObject" ? namespace : "";
}

function replace(element, payload) {
  const outer = inner(get(element, "parentNode"));
  const next = isMarkup(payload) ? parse(payload[0], outer) : build(payload, outer);
  const only = isMarkup(payload) ? next.firstElementChild : next;
  if (only && isSame(element, only) && !get(only, "nextSibling") && !get(only, "previousSibling")) morph(element, only, true);
  else call(element, "replaceWith", ...(isMarkup(payload) ? [...next.childNodes] : [next]));
}

function fill(element, payload) {
  if (isMarkup(payload)) return morphChildren(element, parse(payload[0], inner(element)));
  const first = get(element, "firstChild");
  if (first && get(first, "nodeType") === Node.TEXT_NODE && !get(first, "nextSibling")) put(first, "data", payload);
  else put(element, "textContent", payload);
}

const patches = [
  replace,
  (element) => call(element, "remove"),
  (element, [index, node]) => call(element, "insertBefore", build(node, inner(element)), get(element, "children")[index] || null),
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
