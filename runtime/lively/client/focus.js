// What is being typed keeps the focus and the caret while the page changes around it.

import { KEY, active, call, get, keyOf, select } from "./dom.js";

export function keepingFocus(change) {
  const before = active();
  const caret = before && caretOf(before);
  change();
  const now = before && (get(before, "isConnected") ? before : successor(before));
  if (!now) return;
  if (active() !== now) call(now, "focus", { preventScroll: true });
  if (caret && String(caret) !== String(caretOf(now))) setCaret(now, caret);
}

// What has the key or the id of an element that is gone, and is the same thing.
function successor(element) {
  const key = keyOf(element);
  const id = call(element, "getAttribute", "id");
  const next = key ? select(`[${KEY}="${CSS.escape(key)}"]`) : id && select("#" + CSS.escape(id));
  return next && ["tagName", "type", "href"].every((name) => get(next, name) === get(element, name)) ? next : null;
}

// Start, end and direction, in characters: also in text that has elements.
function caretOf(element) {
  if (get(element, "isContentEditable")) return textCaretOf(element);
  const caret = ["selectionStart", "selectionEnd", "selectionDirection"].map((name) => get(element, name));
  return typeof caret[0] === "number" ? caret : null;
}

function textCaretOf(element) {
  const selection = getSelection();
  const count = (node, offset) => {
    const range = new Range();
    range.selectNodeContents(element);
    range.setEnd(node, offset);
    return range.toString().length;
  };
  if (!call(element, "contains", selection.focusNode)) return null;
  return [count(selection.anchorNode, selection.anchorOffset), count(selection.focusNode, selection.focusOffset)];
}

function setCaret(element, [start, end, direction]) {
  if (direction !== undefined) call(element, "setSelectionRange", start, end, direction);
  else getSelection().setBaseAndExtent(...place(element, start), ...place(element, end));
}

function place(element, offset) {
  const texts = call(document, "createTreeWalker", element, NodeFilter.SHOW_TEXT);
  for (let text = texts.nextNode(); text; text = texts.nextNode()) {
    if (offset <= text.length) return [text, offset];
    offset -= text.length;
  }
  return [element, get(element, "childNodes").length];
}
