// Tokens are kept in this module's memory: a script that reads storage or cookies finds nothing, and a reload signs the page out.

const API = document.body.dataset.api;
const ANSWERS_SHOWN = 8;
const nothing = Object.freeze({ access: null, refresh: null, expiresAt: 0 });

let tokens = nothing;
let refreshing = null;

const byId = (id) => document.getElementById(id);

/** A refusal or a failure, in words for the person in front of the page. */
class Problem extends Error {}

// The API.

async function send(method, path, { body, access } = {}) {
  const headers = { Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (access) headers.Authorization = `Bearer ${access}`;
  const response = await reach(API + path, { method, headers, body: body && JSON.stringify(body), cache: "no-store" });
  const data = await response.json().catch(() => null);
  showAnswer(method, path, response.status, data);
  return { status: response.status, ok: response.ok, data };
}

async function reach(url, options) {
  try {
    return await fetch(url, options);
  } catch {
    throw new Problem("The server cannot be reached. Try again.");
  }
}

/** Call with the access token; where it is refused, refresh once and call once more. */
async function call(method, path, body) {
  const { access } = tokens;
  let answer = await send(method, path, { body, access });
  if (refused(answer)) {
    // Another call may have refreshed in the meantime.
    if (tokens.access === access) await refresh();
    answer = await send(method, path, { body, access: tokens.access });
  }
  if (refused(answer)) leave(words(answer));
  return wanted(answer);
}

const refused = ({ status }) => status === 401 || status === 403;

function wanted(answer) {
  if (!answer.ok) throw new Problem(words(answer));
  return answer.data;
}

/** Say what was wrong: `detail`, or the first complaint about a field. */
function words({ status, data }) {
  if (typeof data?.detail === "string") return data.detail;
  const [field, complaint] = Object.entries(data ?? {}).find(([, value]) => Array.isArray(value)) ?? [];
  return field ? `${field}: ${complaint[0]}` : `The server answered ${status}.`;
}

/** Refresh; calls that come while one is under way share it. */
function refresh() {
  refreshing ??= rotate().finally(() => { refreshing = null; });
  return refreshing;
}

async function rotate() {
  const before = tokens;
  const answer = await send("POST", "token/refresh/", { body: { refresh: before.refresh } });
  if (tokens !== before) throw new Problem("Signed out.");
  // Only a 401 says that the session is over: after a 429 or a 503 the same refresh token is still good.
  if (answer.status === 401) leave(words(answer));
  keep(wanted(answer));
}

function keep({ access, refresh = tokens.refresh, expires_in: seconds }) {
  tokens = { access, refresh, expiresAt: Date.now() + seconds * 1000 };
  showRemaining();
}

/** Forget the tokens, show the sign-in form and end what was being done. */
function leave(reason) {
  forget();
  throw new Problem(reason);
}

// What a person does.

async function signIn(form) {
  const body = Object.fromEntries(new FormData(form));
  let answer = await send("POST", "token/", { body });
  if (answer.data?.code === "second_factor_required") {
    const otp = prompt("The code from your authenticator app");
    answer = await send("POST", "token/", { body: { ...body, otp } });
  }
  keep(wanted(answer));
  form.reset();
  await enter();
}

async function enter() {
  const me = await call("GET", "me/");
  byId("who").textContent = me.username;
  show(true);
  await Promise.all([loadNotes(), loadDevices()]);
}

async function signOut() {
  const { refresh: token } = tokens;
  // Forget first: this page must be signed out even where the server cannot be reached.
  forget();
  wanted(await send("POST", "token/revoke/", { body: { token } }));
  say("Signed out.");
}

async function signOutEverywhere() {
  await call("DELETE", "sessions/");
  forget();
  say("Signed out everywhere.");
}

async function signOutOthers() {
  await call("DELETE", "sessions/others/");
  await loadDevices();
  say("Signed out on every other device.");
}

async function revoke(device) {
  await call("DELETE", `sessions/${device.id}/`);
  if (device.current) {
    forget();
    say("Signed out.");
  } else {
    await loadDevices();
  }
}

async function addNote(form) {
  await call("POST", "notes/", Object.fromEntries(new FormData(form)));
  form.reset();
  await loadNotes();
}

async function archive(note) {
  await call("POST", `notes/${note.id}/archive/`);
  await loadNotes();
}

async function refreshByHand() {
  await refresh();
  await loadDevices();
  say("The access token is new, and so is the refresh token.");
}

const askWithoutToken = () => send("GET", "notes/");

// What a person sees.

async function loadNotes() {
  const notes = await call("GET", "notes/");
  byId("notes").replaceChildren(...notes.map(noteRow));
  byId("no-notes").hidden = notes.length > 0;
}

async function loadDevices() {
  const devices = await call("GET", "sessions/");
  byId("devices").replaceChildren(...devices.map(deviceRow));
}

const noteRow = (note) => row("note", note, { archive: () => archive(note) }, `Archive ${note.title}`);

function deviceRow(device) {
  const name = device.current ? "This device" : "Another device";
  const used = new Date(device.last_used_at ?? device.created_at).toLocaleString();
  const detail = [device.user_agent, device.ip_address, `last used ${used}`].filter(Boolean).join(" · ");
  return row("device", { name, detail }, { revoke: () => revoke(device) }, `Sign out: ${name}, ${detail}`);
}

/** Fill a copy of a template. `textContent` only: what users wrote is never read as HTML. */
function row(template, fields, actions, label) {
  const copy = byId(template).content.cloneNode(true);
  for (const element of copy.querySelectorAll("[data-field]")) element.textContent = fields[element.dataset.field];
  for (const button of copy.querySelectorAll("[data-action]")) {
    button.setAttribute("aria-label", label);
    onPress(button, actions[button.dataset.action]);
  }
  return copy;
}

function forget() {
  tokens = nothing;
  show(false);
  for (const id of ["notes", "devices", "who"]) byId(id).replaceChildren();
}

function show(signedIn) {
  byId("signed-in").hidden = !signedIn;
  byId("signed-out").hidden = signedIn;
}

function say(text, problem = false) {
  const message = byId("message");
  message.textContent = text;
  message.classList.toggle("problem", problem);
  message.hidden = !text;
}

function showAnswer(method, path, status, data) {
  const line = document.createElement("li");
  line.textContent = [method, API + path, "→", status, data?.code, data?.reason].filter(Boolean).join(" ");
  byId("answers").prepend(line);
  while (byId("answers").children.length > ANSWERS_SHOWN) byId("answers").lastChild.remove();
}

function showRemaining() {
  const seconds = Math.max(0, Math.ceil((tokens.expiresAt - Date.now()) / 1000));
  byId("remaining").textContent = seconds === 1 ? "1 second" : `${seconds} seconds`;
}

// Wiring.

/** Do one thing at a time per control, and say what went wrong. */
async function attempt(control, work) {
  control.disabled = true;
  say("");
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    say(error.message, true);
  } finally {
    control.disabled = false;
  }
}

function onPress(button, work) {
  button.addEventListener("click", () => attempt(button, work));
}

function onSubmit(form, work) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(form.querySelector("button"), () => work(form));
  });
}

onSubmit(byId("sign-in"), signIn);
onSubmit(byId("add-note"), addNote);
onPress(byId("refresh"), refreshByHand);
onPress(byId("sign-out"), signOut);
onPress(byId("sign-out-others"), signOutOthers);
onPress(byId("sign-out-everywhere"), signOutEverywhere);
onPress(byId("without-token"), askWithoutToken);
setInterval(showRemaining, 1000);
