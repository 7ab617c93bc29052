// Markup can put elements in the place of what documents and forms have: an
// <img name="querySelector">, an <input name="closest">. So these two are asked
// through their prototypes, which markup does not reach.

const isNamed = (node) => node === document || node instanceof HTMLFormElement;

export function get(node, name) {
  return isNamed(node) ? Reflect.get(Object.getPrototypeOf(node), name, node) : node[name];
}

export function put(node, name, value) {
  Reflect.set(Object.getPrototypeOf(node), name, value, node);
}

export function call(node, name, ...values) {
  return isNamed(node) ? Reflect.apply(get(node, name), node, values) : node[name](...values);
}

export const attribute = (element, name) => call(element, "getAttribute", name);
export const has = (element, name) => call(element, "hasAttribute", name);
export const select = (selector, from = document) => call(from, "querySelector", selector);
export const selectAll = (selector, from = document) => call(from, "querySelectorAll", selector);
export const create = (tag) => call(document, "createElement", tag);
export const listen = (target, type, hear, capture) => call(target, "addEventListener", type, hear, capture);
export const active = () => get(document, "activeElement");

// The root alone says how the page is live: no markup within it does.
export const root = get(document, "documentElement");
export const setting = (name) => attribute(root, "data-live" + name);

export const KEY = "data-live-key";
export const keyOf = (element) => attribute(element, KEY);

// Reports whether nobody has cancelled the event.
export function tell(name, detail, target = document) {
  const event = new CustomEvent("lively:" + name, { detail, cancelable: true, bubbles: true, composed: true });
  return call(get(target, "isConnected") ? target : document, "dispatchEvent", event);
}

// The one way in which text becomes markup, for a page with
// require-trusted-types-for 'script'; trusted-types has to name it.
let policy;
try {
  policy = globalThis.trustedTypes?.createPolicy?.("duckgen-live", { createHTML: (markup) => markup });
} catch (refused) {
  console.warn("lively: no markup:", refused);
}

// Returns a node whose children the markup makes, in a picture or in HTML. Scripts
// in it do not run.
export function parse(markup, isPicture) {
  const template = create("template");
  const whole = isPicture ? `<svg>${markup}</svg>` : markup;
  template.innerHTML = policy ? policy.createHTML(whole) : whole;
  for (const element of template.content.querySelectorAll("*")) {
    for (const name of call(element, "getAttributeNames")) {
      if (isHandler(name)) call(element, "removeAttribute", name);
    }
  }
  return isPicture ? template.content.firstChild : template.content;
}

export const isHandler = (name) => /^on/i.test(name);
