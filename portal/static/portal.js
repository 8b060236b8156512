// What a browser with scripts has on top of pages that work without: upload progress, files dropped onto a form,
// lists that change by themselves. Everything on the page still comes from the server as HTML.

const POLL_SECONDS = 3;
const AGAIN_SECONDS = 5; // before the stream is asked for anew, where the desk refused it
const PAUSE_SECONDS = 0.5; // between two looks, however much happens
const EVENTS = ["opened", "status-changed", "letter-added", "message-added", "worked"].map((each) => `ticket.${each}`);
const HEARD = ["ready", "reload", ...EVENTS];

const BROKEN = "The connection broke. Nothing is lost: submit it again.";
const AWAY = "The service is temporarily unavailable. Nothing is lost: submit it again in a moment.";
const ENDED = "Your session has ended. Log in again in another tab, then submit this form once more.";
const REFUSED = "This could not be sent. Nothing is lost: submit it again.";

const parsed = (html) => new DOMParser().parseFromString(html, "text/html");
const wait = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

// A form with files: sent with progress; the page that answers takes the place of this one, the form's key and all.
async function upload(form) {
  const button = form.querySelector("button");
  const bar = document.createElement("progress");
  bar.max = 1;
  bar.setAttribute("aria-label", "Upload");
  button.before(bar);
  button.disabled = true;
  if (form.dataset.failed) await renew(form);
  const request = new XMLHttpRequest();
  const fail = (sentence) => {
    bar.remove();
    button.disabled = false;
    form.dataset.failed = "yes";
    complain(form, sentence);
  };
  request.upload.onprogress = (event) => {
    if (event.lengthComputable) bar.value = event.loaded / event.total;
    if (event.loaded === event.total) bar.removeAttribute("value");
  };
  request.onload = () => {
    const page = parsed(request.responseText);
    if (new URL(request.responseURL).pathname === "/login") return fail(ENDED);
    if (page.querySelector(`form[action="${form.getAttribute("action")}"]`) || request.status < 400)
      return show(page, request.responseURL);
    // A page without our form: to show it would lose all that was typed and chosen.
    fail(request.status === 403 ? ENDED : request.status >= 500 ? AWAY : REFUSED);
  };
  request.onerror = () => fail(BROKEN);
  request.open("POST", form.action);
  request.send(new FormData(form));
}

// After another login the word of the session is another.
async function renew(form) {
  const answer = await fetch(document.URL, { headers: { "X-Live": "1" } }).catch(() => null);
  const word = answer?.ok && parsed(await answer.text()).querySelector("input[name=csrf]");
  if (word) form.elements.csrf.value = word.value;
}

function show(page, url) {
  document.title = page.title;
  document.querySelector("main").replaceWith(page.querySelector("main"));
  const isOfPage = !document.querySelector(`form[action="${new URL(url).pathname}"]`);
  if (url !== document.URL && isOfPage) history.pushState(null, "", url);
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
  note.scrollIntoView({ block: "center" });
}

// A file that the desk would refuse for its size alone need not be sent first.
function weigh(input) {
  input.addEventListener("change", () => {
    const isTooLarge = [...input.files].some((file) => file.size > Number(input.dataset.most));
    const error = document.getElementById(`${input.id}-size`) ?? document.createElement("span");
    error.remove();
    if (!isTooLarge) return;
    error.id = `${input.id}-size`;
    error.className = "error";
    error.setAttribute("role", "alert");
    error.textContent = `A file may be at most ${input.dataset.mostWords}. Choose a smaller one.`;
    input.before(error);
    input.value = "";
  });
}

// Files dropped anywhere onto the field are chosen, as if by the button.
function drop(field) {
  const input = field.querySelector("input[type=file]");
  const mark = (is) => () => field.classList.toggle("over", is);
  field.addEventListener("dragover", mark(true));
  field.addEventListener("dragleave", mark(false));
  field.addEventListener("drop", (event) => {
    mark(false)();
    if (!event.dataTransfer.files.length) return;
    input.files = event.dataTransfer.files;
    input.dispatchEvent(new Event("change"));
  });
}

// Staff's move: offer the reasons that are meant for the new status, and put a reason's text where it can be edited.
function prefill(form) {
  const { status, reason, message } = form.elements;
  const textOf = () => reason.selectedOptions[0].dataset.text ?? "";
  let own = message.value ? textOf() : "";
  const fill = () => {
    if (message.value === own) message.value = textOf();
    own = textOf();
  };
  const offer = () => {
    for (const option of reason.options)
      option.hidden = option.disabled =
        option.value && status.value && !option.dataset.statuses.split(" ").includes(status.value);
    if (reason.selectedOptions[0].disabled) reason.value = "";
    fill();
  };
  status.addEventListener("change", offer);
  reason.addEventListener("change", fill);
}

// The live parts of the page as the server draws them now; who is within keeps his place.
async function refresh(url = document.URL) {
  const answer = await fetch(url, { headers: { "X-Live": "1" } });
  if (new URL(answer.url).pathname === "/login") return sayEnded();
  if (!answer.ok) return;
  const page = parsed(await answer.text());
  for (const part of document.querySelectorAll("[data-live]")) {
    const now = page.getElementById(part.id);
    if (!now || now.innerHTML === part.innerHTML) continue;
    const place = part.contains(document.activeElement) ? document.activeElement.id : "";
    const sideways = part.querySelector(".scroll")?.scrollLeft ?? 0;
    part.replaceChildren(...now.childNodes);
    if (sideways) part.querySelector(".scroll").scrollLeft = sideways;
    if (place) document.getElementById(place)?.focus();
    document.getElementById("heard").textContent = `Updated at ${new Date().toLocaleTimeString()}.`;
  }
}

// Nothing on the page is taken away: somebody may be writing.
function sayEnded() {
  if (document.getElementById("ended")) return;
  const note = document.createElement("p");
  note.id = "ended";
  note.className = "note warn";
  note.setAttribute("role", "alert");
  const link = document.createElement("a");
  link.href = `/login?next=${encodeURIComponent(location.pathname)}`;
  link.textContent = "Log in again";
  note.append("Your session has ended. ", link, ".");
  document.querySelector("main").prepend(note);
}

// One look at a time, and after it one more if something happened meanwhile.
let isLooking = false;
let isDue = false;
async function look() {
  isDue = true;
  if (isLooking) return;
  isLooking = true;
  while (isDue && document.visibilityState === "visible") {
    isDue = false;
    await refresh().catch(() => {});
    await wait(PAUSE_SECONDS);
  }
  isLooking = false;
}

// Look when the desk's stream says that something happened; while there is no stream, every few seconds. A page that
// nobody sees does not listen: a browser has few connections for all its tabs.
function stayCurrent() {
  let stream = null;
  const open = () => {
    if (stream || document.visibilityState !== "visible") return;
    stream = new EventSource("/live");
    HEARD.forEach((event) => stream.addEventListener(event, look));
    stream.onerror = () => stream?.readyState === EventSource.CLOSED && (close(), setTimeout(open, AGAIN_SECONDS * 1000));
  };
  const close = () => {
    stream?.close();
    stream = null;
  };
  const turn = () => (document.visibilityState === "visible" ? (open(), look()) : close());
  document.addEventListener("visibilitychange", turn);
  setInterval(() => stream?.readyState === EventSource.OPEN || look(), POLL_SECONDS * 1000);
  open();
}

function listen() {
  document.querySelectorAll("form[data-upload]").forEach((form) =>
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      upload(form);
    }),
  );
  document.querySelectorAll("[data-drop]").forEach(drop);
  document.querySelectorAll("input[data-most]").forEach(weigh);
  document.querySelectorAll("form[data-move]").forEach(prefill);
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-swap]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  history.replaceState(null, "", link.href);
  look();
});
// A file that is dropped beside its field must not take the place of the page.
for (const name of ["dragover", "drop"]) document.addEventListener(name, (event) => event.preventDefault());
addEventListener("popstate", () => location.reload());

document.documentElement.classList.add("has-scripts");
listen();
if (document.querySelector("[data-live]")) stayCurrent();
