// What the visitor does, and which of it are events. What an element does by itself
// it goes on doing.

import { isBusy } from "./busy.js";
import { isNear } from "./connection.js";
import { attribute, call, has, listen, selectAll } from "./dom.js";
import { greetings, raise } from "./events.js";
import { changes } from "./patches.js";
import { release, releaseAll, timed } from "./timing.js";
import { carriesFiles, fieldsOf, valueOf } from "./values.js";

// What a click within a clickable element is about instead of that.
const CONTROLS = "a[href],area[href],button,input,select,textarea,label,summary,option,audio[controls],video[controls],[contenteditable]";

// What a click would do, were it not an event.
const ACTS = "a[href],area[href],button,input[type=submit],input[type=image],input[type=reset]";

const FIELD = "data-live-";
const matches = (element, selector) => call(element, "matches", selector);
const elementsOf = (event) => event.composedPath().filter((node) => node instanceof Element);

// The innermost element that has the attribute, also in shadow trees that are open.
const bound = (event, type) => elementsOf(event).find((element) => has(element, FIELD + type));

function fire(element, type, event, value = valueOf) {
  if (!hasKey(element, event)) return;
  timed(element, () => raise(attribute(element, FIELD + type), value(element, event), element, repeats(element)));
}

const repeats = (element) => ({ again: has(element, "data-live-again") });

// data-live-keys="Escape ctrl+s"
function hasKey(element, event) {
  const keys = attribute(element, "data-live-keys");
  if (keys === null || event.key === undefined) return true;
  const held = ["ctrl", "alt", "shift", "meta"].filter((name) => event[name + "Key"]);
  return keys.split(" ").some((key) => key === event.key || key === [...held, event.key].join("+"));
}

function hearClick(event) {
  hearAway(event);
  const element = bound(event, "click");
  if (!element || event.defaultPrevented || isAnothers(event, element)) return;
  if (matches(element, ACTS)) {
    if (isModified(event) || (!isNear() && (has(element, "href") || element.form))) return;
    event.preventDefault();
  }
  fire(element, "click", event);
}

const isAnothers = (event, element) => {
  const path = elementsOf(event);
  return path.slice(0, path.indexOf(element)).some((inner) => matches(inner, CONTROLS));
};

export const isModified = (event) => event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey;

function hearAway(event) {
  const path = event.composedPath();
  for (const element of selectAll("[data-live-away]")) {
    if (!path.includes(element)) fire(element, "away", event);
  }
}

// A form that the connection cannot take the browser posts.
function hearSubmit(event) {
  const form = bound(event, "submit");
  if (!(form instanceof HTMLFormElement) || event.defaultPrevented) return;
  if (isBusy(form)) {
    event.preventDefault();
    return;
  }
  if (!isNear() || carriesFiles(form)) return;
  releaseAll((element) => call(form, "contains", element));
  const fields = valueOf(form, event);
  if (!raise(attribute(form, FIELD + "submit"), fields, form, { isSubmit: true, ...repeats(form) })) return;
  touched.delete(form);
  event.preventDefault();
}

function hear(type, name = type) {
  return (event) => {
    const element = bound(event, name);
    if (element && !event.defaultPrevented && !event.isComposing) fire(element, name, event);
  };
}

// Text that is being composed is none yet. Some browsers tell of its end by an
// event of its own, some do not.
let composed = 0;

function hearInput(event) {
  const form = event.composedPath()[0].form;
  if (form) touched.add(form);
  clearTimeout(composed);
  hear("input")(event);
}

function hearComposed(event) {
  const path = elementsOf(event);
  composed = setTimeout(() => {
    const element = path.find((element) => has(element, FIELD + "input"));
    if (element) fire(element, "input", event);
  });
}

function hearBlur(event) {
  releaseAll((element) => event.composedPath().includes(element));
  hear("blur")(event);
}

const heard = {
  click: hearClick,
  submit: hearSubmit,
  input: hearInput,
  compositionend: hearComposed,
  change: hear("change"),
  keydown: hear("keydown"),
  keyup: hear("keyup"),
  focusin: hear("focusin", "focus"),
  focusout: hearBlur,
};

for (const [type, then] of Object.entries(heard)) listen(document, type, then);

// Some events do not leave the shadow tree that they are in. Others come before.
const roots = new WeakSet();

function enter(event) {
  for (const node of event.composedPath()) {
    if (!(node instanceof ShadowRoot) || roots.has(node)) continue;
    roots.add(node);
    for (const type of ["submit", "change"]) node.addEventListener(type, heard[type]);
  }
}

for (const type of ["focusin", "input"]) listen(document, type, enter, true);

// Events of the window.

const states = {
  resize: () => ({ width: innerWidth, height: innerHeight }),
  scroll: () => ({ x: scrollX, y: scrollY }),
};

for (const type of ["keydown", "keyup", "focus", "blur", "resize", "scroll"]) {
  addEventListener(type, (event) => {
    if (event.isComposing) return;
    const value = (element) => attribute(element, "data-live-value") ?? states[type]?.() ?? event.key ?? null;
    for (const element of selectAll(`[data-live-window-${type}]`)) fire(element, "window-" + type, event, value);
  });
}

// Elements that come into view.

const views = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) if (isIntersecting) fire(target, "visible", {});
});

function watch() {
  for (const element of selectAll("[data-live-visible]")) views.observe(element);
}

watch();
changes.push(watch);

// A form whose input nobody has submitted says so again to a program that may have
// forgotten it.

const touched = new WeakSet();
let connected = false;

greetings.push(() => {
  if (connected) {
    for (const form of selectAll("[data-live-recover]")) {
      if (touched.has(form)) raise(attribute(form, "data-live-recover"), fieldsOf(form), form, { first: true });
    }
  }
  connected = true;
});
