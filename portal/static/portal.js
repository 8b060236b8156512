// What a browser with scripts has on top of pages that work without: upload progress, files dropped onto a form,
// lists that change by themselves. Everything on the page still comes from the server as HTML.

const POLL_SECONDS = 3;
const EVENTS = ["opened", "status-changed", "letter-added", "message-added", "worked"].map((each) => `ticket.${each}`);
const HEARD = ["ready", "reload", ...EVENTS];

const parsed = (html) => new DOMParser().parseFromString(html, "text/html");

// A form with files: sent with progress; the page that answers takes the place of this one, the form's key and all.
function upload(form) {
  const button = form.querySelector("button");
  const bar = document.createElement("progress");
  bar.max = 1;
  bar.setAttribute("aria-label", "Upload");
  button.before(bar);
  button.disabled = true;
  const request = new XMLHttpRequest();
  request.upload.onprogress = (event) => {
    if (event.lengthComputable) bar.value = event.loaded / event.total;
    if (event.loaded === event.total) bar.removeAttribute("value");
  };
  request.onload = () => show(request.responseText, request.responseURL);
  request.onerror = () => {
    bar.remove();
    button.disabled = false;
    complain(form, "The connection broke. Nothing is lost: submit it again.");
  };
  request.open("POST", form.action);
  request.send(new FormData(form));
}

function show(html, url) {
  const page = parsed(html);
  document.title = page.title;
  document.querySelector("main").replaceWith(page.querySelector("main"));
  if (url !== document.URL) history.pushState(null, "", url);
  listen();
  const first = document.querySelector("[aria-invalid=true], #problem, #sent") ?? document.querySelector("main");
  first.focus();
  document.querySelector("#problem, #sent")?.scrollIntoView({ block: "center" });
}

function complain(form, sentence) {
  const note = form.querySelector("#problem") ?? document.createElement("p");
  note.id = "problem";
  note.className = "note bad";
  note.setAttribute("role", "alert");
  note.textContent = sentence;
  form.prepend(note);
}

// Files dropped anywhere onto the field are chosen, as if by the button.
function drop(field) {
  const input = field.querySelector("input[type=file]");
  const mark = (is) => (event) => {
    event.preventDefault();
    field.classList.toggle("over", is);
  };
  field.addEventListener("dragover", mark(true));
  field.addEventListener("dragleave", mark(false));
  field.addEventListener("drop", (event) => {
    mark(false)(event);
    if (event.dataTransfer.files.length) input.files = event.dataTransfer.files;
  });
}

// The live parts of the page as the server draws them now; who is within keeps his place.
async function refresh(url = document.URL) {
  const answer = await fetch(url, { headers: { "X-Live": "1" } });
  if (!answer.ok || answer.redirected) return;
  const page = parsed(await answer.text());
  for (const part of document.querySelectorAll("[data-live]")) {
    const now = page.getElementById(part.id);
    if (!now || now.innerHTML === part.innerHTML) continue;
    const place = part.contains(document.activeElement) ? document.activeElement.id : "";
    part.replaceChildren(...now.childNodes);
    if (place) document.getElementById(place)?.focus();
  }
}

// Refresh when the desk's stream says that something happened; while there is no stream, every few seconds.
function stayCurrent() {
  const again = () => document.visibilityState === "visible" && refresh().catch(() => {});
  const stream = new EventSource("/live");
  let isOpen = false;
  stream.onopen = () => (isOpen = true);
  stream.onerror = () => (isOpen = false);
  HEARD.forEach((event) => stream.addEventListener(event, again));
  setInterval(() => isOpen || again(), POLL_SECONDS * 1000);
  document.addEventListener("visibilitychange", again);
}

function listen() {
  document.querySelectorAll("form[data-upload]").forEach((form) =>
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      upload(form);
    }),
  );
  document.querySelectorAll("[data-drop]").forEach(drop);
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-swap]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  history.replaceState(null, "", link.href);
  refresh();
});
addEventListener("popstate", () => location.reload());

listen();
if (document.querySelector("[data-live]")) stayCurrent();
