// What a page shows of events that have no answer yet: data-live-busy on their
// elements, and of forms the buttons that submit them disabled.

import { active, call, get, has, select } from "./dom.js";

const counts = new WeakMap(); // of events, by element
const disabled = new WeakMap(); // buttons, by form
const held = new WeakSet(); // the same buttons
let focused; // what had the focus when buttons were last disabled, which takes it from them

export const isBusy = (form) => counts.has(form);

// Reports whether a patch leaves the attribute as it is.
export const isKept = (element, name) => name === "data-live-busy" || (name === "disabled" && held.has(element));

export function mark({ element, isSubmit }) {
  if (!element) return;
  counts.set(element, (counts.get(element) || 0) + 1);
  call(element, "setAttribute", "data-live-busy", "");
  if (isSubmit) disable(element);
}

export function unmark({ element, isSubmit }, isDone) {
  if (!element) return;
  const left = counts.get(element) - 1;
  if (isSubmit) enable(element);
  if (left) return counts.set(element, left);
  counts.delete(element);
  call(element, "removeAttribute", "data-live-busy");
  if (isSubmit && isDone && has(element, "data-live-reset")) call(element, "reset");
}

// Those of type image are not among a form's elements.
const submits = (field) => get(field, "type") === "submit" && !has(field, "disabled");

function disable(form) {
  const buttons = [...get(form, "elements")].filter(submits);
  disabled.set(form, buttons);
  focused = active();
  for (const button of buttons) {
    held.add(button);
    button.disabled = true;
  }
}

function enable(form) {
  for (const button of disabled.get(form) || []) {
    held.delete(button);
    button.disabled = false;
    if (button === focused && !select(":focus")) button.focus();
  }
  disabled.delete(form);
}
