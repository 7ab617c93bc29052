// Files go over HTTP beside the connection, one request for each upload.
//
//   <input type="file" data-live-upload="avatar">     sent once they are chosen
//   <form data-live-upload="photos" method="post"     sent instead of posted
//     enctype="multipart/form-data" action="/lively/upload/photos">
//   <progress data-live-progress="photos">            how far it is
//   <button type="button" data-live-cancel="photos">  ends it
//   data-live-uploaded="photos.show"                  an event once the program has taken the files
//
// An element has data-live-uploading while its files are sent. It gets the events
// lively:progress { loaded, total }, lively:uploaded, and lively:refused { status,
// reason }; the status is 0 if the visitor has cancelled or the connection broke.

const uploads = new Map(); // requests under way, by the name of the upload

function upload(element, form) {
  const name = element.dataset.liveUpload;
  const url = new URL(`${root.dataset.live || "/lively"}/upload/${encodeURIComponent(name)}`, location.href);
  if (url.origin !== location.origin) return;
  const notify = (event, detail) =>
    element.dispatchEvent(new CustomEvent("lively:" + event, { bubbles: true, detail: { name, ...detail } }));
  const request = new XMLHttpRequest();
  request.upload.onprogress = ({ loaded, total }) => {
    showProgress(name, loaded, total);
    notify("progress", { loaded, total });
  };
  request.onloadend = () => {
    if (uploads.get(name) === request) uploads.delete(name);
    delete element.dataset.liveUploading;
    if (request.status !== 200) {
      notify("refused", { status: request.status, reason: request.responseText });
      return;
    }
    if (request.getResponseHeader("Lively-Session") === "new") socket?.close(4001, "new session");
    if (element.dataset.liveUploaded) {
      const key = element.closest("[data-live-key]")?.dataset.liveKey || "";
      send([100, page(), key, element.dataset.liveUploaded, element.dataset.liveValue ?? null, false]);
    }
    notify("uploaded");
  };
  uploads.set(name, request);
  element.dataset.liveUploading = "";
  showProgress(name, 0, 1);
  request.open("POST", url);
  request.send(form);
}

function showProgress(name, loaded, total) {
  for (const bar of document.querySelectorAll(`progress[data-live-progress="${CSS.escape(name)}"]`)) {
    bar.max = total;
    bar.value = loaded;
  }
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.dataset.liveUpload === undefined) return;
  event.preventDefault();
  if (!uploads.has(form.dataset.liveUpload)) upload(form, new FormData(form, event.submitter));
});

// Another choice replaces the one that is being sent.
document.addEventListener("change", ({ target: input }) => {
  if (input.type !== "file" || input.dataset.liveUpload === undefined || input.files.length === 0) return;
  uploads.get(input.dataset.liveUpload)?.abort();
  const form = new FormData();
  for (const file of input.files) form.append(input.name || "file", file);
  upload(input, form);
  input.value = ""; // the same file may be chosen again
});

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-live-cancel]");
  if (button) uploads.get(button.dataset.liveCancel)?.abort();
});
