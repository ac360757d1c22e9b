// What the console does beyond plain pages: it tells of what waits, shows events as they come, counts time down.
// Every page works without it. All markup is made and escaped by the bridge; none is made here.
"use strict";

const page = document.body.dataset.page;
const said = document.getElementById("said");
const count = document.getElementById("waiting-count");
const rows = document.getElementById("rows");
const title = document.title.replace(/^\(\d+\) /, "");

function elements(html) {
  return new DOMParser().parseFromString(html, "text/html").body.children;
}

function say(text) {
  said.textContent = text;
}

// The stream. A page that nobody sees lets go of it, but for the one that tells of what waits: a browser keeps only
// a few connections to one server open.

let stream = null;

function open() {
  if (stream || (document.hidden && page !== "waiting")) return;
  stream = new EventSource(rows?.dataset.stream ?? "/console/stream");
  stream.addEventListener("waiting", (event) => waiting(JSON.parse(event.data).waiting));
  stream.addEventListener("rows", (event) => fresh(JSON.parse(event.data), Number(event.lastEventId)));
  stream.addEventListener("open", () => live("live"));
  stream.addEventListener("error", () => {
    live("connection lost");
    if (stream?.readyState === EventSource.CLOSED) refused();
  });
}

// The bridge is starting, or the session has ended: then the page leads to the log-in.
async function refused() {
  close();
  await new Promise((resume) => setTimeout(resume, 2000));
  const answer = await fetch("/console/health", { redirect: "manual" }).catch(() => null);
  if (answer?.type === "opaqueredirect") location.reload();
  else if (answer?.ok) open();
  else refused();
}

function close() {
  stream?.close();
  stream = null;
}

document.addEventListener("visibilitychange", () => (document.hidden && page !== "waiting" ? close() : open()));
addEventListener("pagehide", close);
addEventListener("pageshow", open);

// What waits

let known = Number(count?.textContent) || 0;

function waiting(number) {
  count.textContent = number;
  count.hidden = number === 0;
  document.title = number ? `(${number}) ${title}` : title;
  if (page === "waiting") refresh();
  else if (number > known) say(`${number} waiting for you`);
  known = number;
}

let refreshing = false;
let again = false;

// The page is asked for anew, and what is new or gone in it is taken over; what somebody writes in stays.
async function refresh() {
  again = true;
  if (refreshing) return;
  refreshing = true;
  try {
    while (again) {
      again = false;
      const answer = await fetch("/", { headers: { Accept: "text/html" } });
      if (answer.redirected) return location.reload();
      if (answer.ok) take(new DOMParser().parseFromString(await answer.text(), "text/html"));
    }
  } catch {
    // The bridge is away; the stream tells when it is back.
  } finally {
    refreshing = false;
  }
}

function take(other) {
  const here = document.getElementById("requests");
  const there = other.getElementById("requests");
  const fresh = [...there.children].filter((card) => !document.getElementById(card.id));
  for (const card of [...here.children]) {
    if (!other.getElementById(card.id)) leave(card);
  }
  for (const card of fresh) here.append(document.adoptNode(card));
  settle(fresh);
  const news = fresh.filter((card) => card.matches(".request"));
  if (news.length) say(news.map((card) => `New: ${card.querySelector("h2").textContent.trim()}`).join(". "));
  for (const card of here.querySelectorAll(".request:not(.over)")) answersOf(card, other.getElementById(card.id));
}

// A card that was answered elsewhere says so and can do no more. It stays where it can be seen: were it taken out, the
// next one would come to lie under a finger that is about to press.
function leave(card) {
  const seen = card.getBoundingClientRect().top < innerHeight || card.contains(document.activeElement);
  if (!card.matches(".request") || !seen) return card.remove();
  if (card.matches(".over")) return;
  card.classList.add("over");
  for (const button of card.querySelectorAll("button")) button.disabled = true;
  card.querySelector(".left")?.parentElement.append(" This was decided, or its time is over.");
  say(`${card.id} was decided, or its time is over`);
}

// For the same reason a card takes no answer in its first moment: a second click may still be meant for the one before.
function settle(cards) {
  const buttons = [...cards].flatMap((card) => [...card.querySelectorAll(".answer button")]);
  for (const button of buttons) button.disabled = true;
  const free = () => {
    for (const button of buttons) button.disabled = button.closest(".over") !== null;
  };
  setTimeout(free, 600);
}

settle(document.querySelectorAll(".request"));

function answersOf(card, other) {
  const told = other?.querySelector(".answers");
  if (!told) return;
  const known = card.querySelector(".answers");
  if (known) known.replaceWith(document.adoptNode(told));
  else card.querySelector(".answer").before(document.adoptNode(told));
}

// How long is left

const clock = document.querySelector("[data-now]");
const ahead = clock ? Date.now() / 1000 - Number(clock.dataset.now) : 0;

function span(seconds) {
  const left = Math.max(0, Math.round(seconds));
  if (left < 60) return `${left} s`;
  if (left < 3600) return `${Math.floor(left / 60)} min ${left % 60} s`;
  return `${Math.floor(left / 3600)} h ${Math.floor((left % 3600) / 60)} min`;
}

function tick() {
  for (const element of document.querySelectorAll("[data-deadline]")) {
    const left = Number(element.dataset.deadline) + ahead - Date.now() / 1000;
    element.textContent = span(left);
    element.classList.toggle("soon", left < 60);
  }
}

if (clock) setInterval(tick, 1000);

// Events

const most = Number(rows?.dataset.most);
const state = document.getElementById("live-state");
const pause = document.getElementById("pause");
let held = [];

function live(text) {
  if (!state) return;
  document.getElementById("live").hidden = false;
  state.textContent = text;
}

function fresh(told, last) {
  const items = told.rows.flatMap((html) => [...elements(html)]);
  const paused = pause.getAttribute("aria-pressed") === "true";
  if (paused) {
    held = [...held, ...items].slice(-most);
    live(`${held.length} held back`);
  } else {
    show(items);
    live(told.passed_over ? `live, ${told.passed_over} passed over` : "live");
  }
  // Where the stream is opened anew, it goes on after what was seen.
  const address = new URL(rows.dataset.stream, location.href);
  address.searchParams.set("from_seq", last + 1);
  rows.dataset.stream = address.pathname + address.search;
}

function show(items) {
  for (const item of items) {
    if (document.getElementById(item.id)) continue;
    item.classList.add("fresh");
    rows.prepend(item);
    setTimeout(() => item.classList.remove("fresh"), 1500);
  }
  while (rows.children.length > most) rows.lastElementChild.remove();
  document.querySelector("p.empty")?.remove();
}

pause?.addEventListener("click", () => {
  const paused = pause.getAttribute("aria-pressed") !== "true";
  pause.setAttribute("aria-pressed", paused);
  pause.textContent = paused ? "Go on" : "Pause";
  if (!paused) {
    show(held);
    held = [];
    live("live");
  }
});

open();
