// Files go over HTTP beside the connection, one request for each upload.

import { reconnect } from "./connection.js";
import { attribute, call, get, has, listen, selectAll, setting, tell } from "./dom.js";
import { raise } from "./events.js";

const uploads = new Map(); // requests under way, by the name of the upload

function upload(element, form) {
  const name = attribute(element, "data-live-upload");
  const url = new URL(`${setting("") || "/lively"}/upload/${encodeURIComponent(name)}`, location.href);
  if (url.origin !== location.origin) return;
  const notify = (event, detail) => tell(event, { name, ...detail }, element);
  const request = new XMLHttpRequest();
  request.upload.onprogress = ({ loaded, total }) => {
    showProgress(name, loaded, total);
    notify("progress", { loaded, total });
  };
  request.onloadend = () => {
    if (uploads.get(name) === request) uploads.delete(name);
    call(element, "removeAttribute", "data-live-uploading");
    if (request.status !== 200) {
      notify("refused", { status: request.status, reason: request.responseText });
      return;
    }
    if (request.getResponseHeader("Lively-Session") === "new") reconnect("new session");
    const then = attribute(element, "data-live-uploaded");
    if (then) raise(then, attribute(element, "data-live-value"), element);
    notify("uploaded");
  };
  uploads.set(name, request);
  call(element, "setAttribute", "data-live-uploading", "");
  showProgress(name, 0, 1);
  request.open("POST", url);
  request.send(form);
}

function showProgress(name, loaded, total) {
  for (const bar of selectAll(`progress[data-live-progress="${CSS.escape(name)}"]`)) {
    bar.max = total;
    bar.value = loaded;
  }
}

listen(document, "submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || !has(form, "data-live-upload")) return;
  event.preventDefault();
  if (!uploads.has(attribute(form, "data-live-upload"))) upload(form, new FormData(form, event.submitter));
});

// Another choice replaces the one that is being sent.
listen(document, "change", ({ target: input }) => {
  if (get(input, "type") !== "file" || !has(input, "data-live-upload") || input.files.length === 0) return;
  uploads.get(attribute(input, "data-live-upload"))?.abort();
  const form = new FormData();
  for (const file of input.files) form.append(input.name || "file", file);
  upload(input, form);
  input.value = ""; // the same file may be chosen again
});

listen(document, "click", ({ target }) => {
  const button = call(target, "closest", "[data-live-cancel]");
  if (button) uploads.get(attribute(button, "data-live-cancel"))?.abort();
});
