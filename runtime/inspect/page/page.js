// The page of the inspector. Whatever it shows becomes text: nothing is markup.

const find = (id) => document.getElementById(id);
const everybody = "", mine = "mine"; // of the filter; else a handle

const shown = new Map(); // entry and element, by the entry's id
const own = new Set(); // handles that this browser has had
let run, stream, asking;

function element(tag, className, ...children) {
  const e = document.createElement(tag);
  if (className) e.className = className;
  e.append(...children.filter(Boolean));
  return e;
}

// What happens.

function listen() {
  stream = new EventSource("events");
  stream.onopen = () => say("live", true);
  stream.onerror = () => say(stream.readyState === EventSource.CLOSED ? "refused: load the page again" : "connecting again");
  stream.onmessage = (message) => take(JSON.parse(message.data));
}

function say(text, live) {
  find("state").textContent = text;
  find("state").classList.toggle("live", !!live);
}

function take(batch) {
  if (run !== batch.run) {
    run = batch.run;
    for (const id of shown.keys()) remove(id);
  }
  for (const entry of batch.entries) place(entry);
  for (const id of shown.keys()) if (id < batch.oldest) remove(id);
  offerHandles();
  askSession();
}

function place(entry) {
  const before = shown.get(entry.id);
  const now = { entry, element: draw(entry) };
  shown.set(entry.id, now);
  if (before) {
    before.element.replaceWith(now.element);
  } else {
    const next = [...find("entries").children].find((e) => Number(e.dataset.id) < entry.id);
    find("entries").insertBefore(now.element, next ?? null);
  }
  choose(now);
}

function remove(id) {
  shown.get(id).element.remove();
  shown.delete(id);
}

function draw(entry) {
  const failed = entry.status >= 500 || entry.calls?.some((c) => c.failed) || entry.notices?.some((n) => n.error);
  const e = element("li", "entry" + (failed ? " bad" : ""),
    element("div", "head",
      element("span", "mono faint", new Date(entry.began).toTimeString().slice(0, 8)),
      element("code", "", entry.kind || "PROGRAM"),
      element("span", "name", entry.name),
      element("span", "end",
        entry.status && element("span", entry.status >= 500 ? "failed" : "", String(entry.status)),
        entry.kind && element("span", "mono faint", entry.ended ? duration(entry.took) : "goes on"),
        ...(entry.handles ?? []).map(handleButton))),
    row("reads", chips("chip reads", entry.reads)),
    row("writes", chips("chip writes", entry.writes)),
    row("store", (entry.calls ?? []).map(drawCall)),
    row("notes", (entry.notices ?? []).map((n) => element("span", n.error ? "failed" : "", element("code", "", n.kind), " ", n.text))),
    entry.left && element("p", "faint", `and ${entry.left} more`));
  e.dataset.id = entry.id;
  return e;
}

function row(label, items) {
  return items.length > 0 && element("div", "row", element("span", "label", label), ...items);
}

const chips = (className, texts) => (texts ?? []).map((text) => element("span", className, text));

function drawCall(c) {
  const parts = [c.op, c.bytes && c.bytes + " B", c.sessions && c.sessions + " sessions", duration(c.took), c.outcome !== "ok" && c.outcome];
  return element("span", c.failed ? "chip failed" : "chip", parts.filter(Boolean).join(" · "));
}

const duration = (ms) => ms < 1 ? Math.round(ms * 1000) + " µs" : ms.toFixed(1) + " ms";

function handleButton(handle) {
  const b = element("button", "link mono", handle.slice(0, 8));
  b.type = "button";
  b.title = "Show this session alone: " + handle;
  b.onclick = () => { find("filter").value = handle; chooseAll(); };
  return b;
}

// Which of it is shown.

function offerHandles() {
  const filter = find("filter"), before = filter.value;
  const handles = new Set([...shown.values()].flatMap(({ entry }) => entry.handles ?? []));
  if (before && before !== mine) handles.add(before);
  const choices = [[everybody, "all sessions"], [mine, "this browser"], ...[...handles].map((h) => [h, "session " + h.slice(0, 8)])];
  const values = choices.map(([value]) => value).join();
  if (filter.dataset.values === values) return;
  filter.dataset.values = values;
  filter.replaceChildren(...choices.map(([value, text]) => new Option(text, value)));
  filter.value = before;
}

function choose({ entry, element }) {
  const wanted = find("filter").value, handles = entry.handles ?? [], isMine = handles.some((h) => own.has(h));
  element.classList.toggle("mine", isMine);
  element.hidden = wanted === mine ? !isMine : wanted !== everybody && !handles.includes(wanted);
  find("empty").hidden = [...shown.values()].some(({ element }) => !element.hidden);
}

function chooseAll() {
  shown.forEach(choose);
}

// The session of this browser, asked for again when something has happened, but not at
// every turn.

function askSession() {
  asking ??= setTimeout(async () => {
    try {
      const answer = await fetch("session");
      if (answer.ok) drawSessions(await answer.json());
    } catch { /* the stream says that the program is gone */ } finally {
      asking = undefined;
    }
  }, 200);
}

function drawSessions(sessions) {
  for (const s of sessions) if (s.handle) own.add(s.handle);
  find("session").replaceChildren(...sessions.map(drawSession));
  if (sessions.length === 0) {
    find("session").append(element("p", "faint", "Mount the inspector behind the Middleware of the sessions, and this browser's is shown here."));
  }
  chooseAll();
}

function drawSession(s) {
  const box = element("div", "session", element("h3", "mono", s.type));
  if (s.error || !s.handle) {
    box.append(element("p", s.error ? "failed" : "faint", s.error || "Nothing is stored of this browser yet."));
    return box;
  }
  box.append(
    table([
      ["handle", element("code", "", s.handle)],
      ["signed in", when(s.signedIn)],
      ...s.fields.filter((f) => f.renew).map((f) => ["user: " + f.key, value(f)]),
      ["created", when(s.created)],
      ["last used", when(s.lastUsed)],
      ["token renewed", when(s.renewed)],
      ["expires", when(s.expires)],
      ["device", s.bound ? "bound" : "not bound"],
    ]),
    element("h3", "", "Fields"),
    table(s.fields.map((f) => [f.key, value(f)])));
  return box;
}

function table(rows) {
  const body = element("tbody");
  for (const [name, content] of rows) {
    const head = element("th", "", name);
    head.scope = "row";
    body.append(element("tr", "", head, element("td", "", content)));
  }
  return element("table", "", body);
}

const value = (f) => f.secret ? element("span", "faint", "sealed") : element("code", "", f.value);

const when = (time) => time.startsWith("0001-") ? element("span", "faint", "no") : new Date(time).toLocaleString();

find("filter").onchange = chooseAll;
find("pause").onclick = ({ currentTarget: button }) => {
  const pauses = button.getAttribute("aria-pressed") !== "true";
  button.setAttribute("aria-pressed", pauses);
  if (pauses) {
    stream.close();
    say("paused");
  } else {
    listen(); // which begins with all that is kept
  }
};

offerHandles();
askSession();
listen();
