// Live updates only: countdowns, new actions in the list, and a word when an action is not what is shown any more.
// Everything else works without this file.
"use strict";

const { events, live } = document.body.dataset;
let stamp = null;

function countdowns(left) {
  for (const element of document.querySelectorAll("[data-left]")) {
    element.textContent = left[element.dataset.left] ?? "none";
  }
}

function outdated() {
  const news = document.getElementById("news");
  if (news.childElementCount) return;
  const link = document.createElement("a");
  link.href = window.location.pathname;
  link.textContent = "Load it again.";
  const words = document.createElement("p");
  words.append("This action is not what is shown here any more. ", link);
  news.append(words);
  for (const button of document.querySelectorAll("form.decide button")) button.disabled = true;
}

async function relist() {
  const answer = await fetch(window.location.pathname, { credentials: "same-origin" });
  if (!answer.ok) return;
  const next = new DOMParser().parseFromString(await answer.text(), "text/html");
  const list = document.getElementById("list");
  const focused = document.activeElement?.getAttribute("href");
  list.replaceChildren(...next.getElementById("list").childNodes);
  document.title = next.title;
  if (focused) list.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
}

new EventSource(events).addEventListener("message", ({ data }) => {
  const now = JSON.parse(data);
  if (!now.stamp) return;
  const shown = live && document.querySelector(`[data-left="${CSS.escape(live)}"]`);
  if (shown && now.digests[live] !== shown.dataset.digest) outdated();
  if (!live && document.getElementById("list") && stamp !== null && stamp !== now.stamp) relist();
  stamp = now.stamp;
  countdowns(now.left);
});
