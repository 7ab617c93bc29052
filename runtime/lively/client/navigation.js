// Turning pages over the connection.

import { isModified } from "./bindings.js";
import { isOpen, life, load, pathOf, receivers, send } from "./connection.js";
import { attribute, call, listen, root, select } from "./dom.js";
import { page } from "./events.js";
import { apply } from "./patches.js";

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
  root.dataset.liveTurning = "";
}

receivers[121] = (path, reload, component, list, final) => {
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
  if (unanswered) return;
  traversed = false;
  delete root.dataset.liveTurning;
};

function move(inPlace) {
  if (inPlace) {
    history.replaceState(null, "", shown);
    return;
  }
  history.pushState(null, "", shown);
  scrollTo(0, 0); // and the focus, as where a page is loaded
  const first = select("[autofocus]");
  if (first) call(first, "focus");
}

// What is not answered the browser loads.
life.resume = () => {
  if (unanswered) load(wanted);
  return unanswered > 0;
};

// What opens elsewhere, leaves the origin or points into a page is the browser's.
function isOurs(link, event) {
  const elsewhere = (link.target && link.target !== "_self") || link.hasAttribute("download");
  return !isModified(event) && !elsewhere && link.origin === location.origin && !link.hash;
}

listen(document, "click", (event) => {
  const link = event.composedPath().find((node) => node instanceof HTMLAnchorElement);
  const next = link && attribute(link, "data-live-navigate");
  if (!link || next === null || !isOpen() || event.defaultPrevented || !isOurs(link, event)) return;
  event.preventDefault();
  navigate(pathOf(link), next || null, false);
});

addEventListener("popstate", () => {
  if (pathOf(location) !== shown) navigate(pathOf(location), null, true);
});
