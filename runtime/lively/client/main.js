// The browser's end of a live connection, described in docs/lively.md. It needs no
// other script and no eval; without it, and while there is no connection, forms and
// links work as usual.

import { connect, load, receivers, send } from "./connection.js";
import { setting, tell } from "./dom.js";
import { greetings, raise } from "./events.js";
import { encode } from "./messagepack.js";
import { apply } from "./patches.js";
import "./upload.js"; // first: what it submits is no other event
import "./bindings.js";
import "./navigation.js";

receivers[1] = apply;

// A script that the program sends, for a page that lets it run.
receivers[101] = (code, variable, timeout, wait, uid) => {
  let value = null;
  let fault = null;
  try {
    if (setting("-script") !== "allow") throw new Error("this page runs no scripts of the server");
    (0, eval)(code);
    if (variable) value = (0, eval)(variable);
    if (wait) encode(value);
  } catch (error) {
    value = null;
    fault = String(error);
  }
  if (wait) send([111, value, fault, uid]);
};

// A page that was loaded a moment ago is of no other version than the program: to
// load it again would go on forever.
receivers[150] = ([component, reload]) => {
  if (!tell("unknown", { component }) || !reload) return;
  if (performance.now() > 5000) load(location.href);
  else console.warn(`lively: unknown event of "${component}"`);
};

greetings.unshift(() => {
  const name = setting("-load");
  if (name) raise(name, null, null, { first: true });
});

connect();
