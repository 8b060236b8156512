// What a browser with scripts has on top of pages that work without: upload progress, files dropped onto a form,
// lists that change by themselves. Everything on the page still comes from the server as HTML.

const POLL_SECONDS = 3;
const PAUSE_SECONDS = 0.5; // between two looks, however much happens
const EVENTS = ["opened", "status-changed", "letter-added", "message-added", "worked"].map((each) => `ticket.${each}`);
const HEARD = ["ready", "reload", ...EVENTS];

const BROKEN = "The connection broke. Nothing is lost: submit it again.";
const ENDED = "Your session has ended. Log in again in another tab, then submit this form once more.";

const parsed = (html) => new DOMParser().parseFromString(html, "text/html");
const wait = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

// Something to read at once, in the place of what this id said before.
function newAlert(id, className, ...words) {
  document.getElementById(id)?.remove();
  const note = Object.assign(document.createElement("p"), { id, className });
  note.setAttribute("role", "alert");
  note.append(...words);
  return note;
}

// A form with words or files: sent with progress, once; the page that answers takes the place of this one, the form's
// key and all. While there is no such page this one stays as it is.
async function send(form, button) {
  const bar = document.createElement("progress");
  bar.max = 1;
  bar.setAttribute("aria-label", "Sending");
  button.before(bar);
  button.disabled = true;
  if (form.dataset.failed) await refresh().catch(() => {}); // after another login the word of the session is another
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
    if (request.status < 400) return show(page, request.responseURL);
    // The form came back, with the list as it is first shown: its sorting and its page are no longer in the address.
    if (page.querySelector(`form[action="${form.getAttribute("action")}"]`)) return show(page, location.pathname);
    // A page without our form: to show it would lose all that was typed and chosen.
    fail(request.status === 403 ? ENDED : wordsOf(page));
  };
  request.onerror = () => fail(BROKEN);
  request.open("POST", form.action);
  request.send(new FormData(form));
}

// What a page of the portal says went wrong, or whatever stands before it.
const wordsOf = (page) =>
  [...page.querySelectorAll("main h1, main h1 + p")].map((each) => each.textContent).join(". ") || page.body.textContent;

function show(page, url) {
  document.title = page.title;
  document.querySelector("main").replaceWith(page.querySelector("main"));
  history.replaceState(null, "", url);
  listen();
  const answer = document.querySelector("#problem, #sent");
  (answer ?? document.querySelector("main")).focus();
  answer?.scrollIntoView({ block: "center" });
}

function complain(form, sentence) {
  const note = newAlert("problem", "note bad", sentence);
  form.prepend(note);
  note.scrollIntoView({ block: "center" });
}

// A file that the desk would refuse for its size alone need not be sent first; those beside it stay chosen.
function weigh(input) {
  input.addEventListener("change", () => {
    const left = new DataTransfer();
    const tooLarge = [];
    for (const file of input.files)
      file.size > Number(input.dataset.most) ? tooLarge.push(file.name) : left.items.add(file);
    const most = `a file may be at most ${input.dataset.mostWords}. Choose a smaller one.`;
    const error = newAlert(`${input.id}-size`, "error", `${tooLarge.join(", ")}: ${most}`);
    if (!tooLarge.length) return;
    input.before(error);
    input.files = left.files;
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

// The live parts of the page as the server draws them now, and the word of the session in every form; who is within a
// part keeps his place, or stays in the part where that place is gone.
async function refresh() {
  const url = document.URL;
  const answer = await fetch(url, { headers: { "X-Live": "1" } });
  if (new URL(answer.url).pathname === "/login") return sayEnded();
  const page = parsed(await answer.text());
  if (!answer.ok) return;
  if (url !== document.URL) return look(); // another page has come meanwhile
  document.getElementById("ended")?.remove();
  const { value } = page.querySelector("input[name=csrf]");
  document.querySelectorAll("input[name=csrf]").forEach((input) => (input.value = value));
  for (const part of document.querySelectorAll("[data-live]")) {
    const now = page.getElementById(part.id);
    if (!now || now.innerHTML === part.innerHTML) continue;
    const within = part.contains(document.activeElement) ? document.activeElement : null;
    const sideways = part.querySelector(".scroll")?.scrollLeft ?? 0;
    part.replaceChildren(...now.childNodes);
    if (sideways) part.querySelector(".scroll").scrollLeft = sideways;
    if (within) (document.getElementById(within.id) ?? part).focus({ preventScroll: true });
    document.getElementById("heard").textContent = `Updated at ${new Date().toLocaleTimeString()}.`;
  }
}

// Nothing on the page is taken away: somebody may be writing.
function sayEnded() {
  if (document.getElementById("ended")) return;
  const href = `/login?next=${encodeURIComponent(location.pathname + location.search)}`;
  const words = { href, target: "_blank", textContent: "Log in again in another tab" };
  const link = Object.assign(document.createElement("a"), words);
  document.querySelector("main").prepend(newAlert("ended", "note warn", "Your session has ended. ", link, "."));
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
// nobody sees does not listen: a browser has few connections for all its tabs. After the session has ended a page looks
// only when somebody comes back to it.
function stayCurrent() {
  let stream = null;
  const open = () => {
    if (stream || document.visibilityState !== "visible") return;
    stream = new EventSource("/live");
    HEARD.forEach((event) => stream.addEventListener(event, look));
    stream.onerror = () => stream?.readyState === EventSource.CLOSED && close();
  };
  const close = () => {
    stream?.close();
    stream = null;
  };
  const turn = () => (document.visibilityState === "visible" ? look() : close());
  const again = () => {
    if (stream?.readyState === EventSource.OPEN || document.getElementById("ended")) return;
    open();
    look();
  };
  document.addEventListener("visibilitychange", turn);
  setInterval(again, POLL_SECONDS * 1000);
  open();
}

function listen() {
  document.querySelectorAll("form[data-stay]").forEach((form) =>
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      send(form, event.submitter);
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
// A file that is dropped beside its field must not take the place of the page; words may be dragged into a field.
for (const name of ["dragover", "drop"])
  document.addEventListener(name, (event) => event.dataTransfer.types.includes("Files") && event.preventDefault());

document.documentElement.classList.add("has-scripts");
listen();
if (document.querySelector("[data-live]")) stayCurrent();
