// The inbox under the keyboard: j and k go through the faxes, o opens one; the focus stays where the person left it.
"use strict";
(() => {
  const list = () => document.getElementById("list");
  const opens = () => [...document.querySelectorAll("#faxes a.open")];
  const row = (element) => element?.closest?.("#faxes > li");

  // ---- letter keys, which a person can switch off (WCAG 2.1.4)
  const toggle = document.getElementById("keys");
  let keys = localStorage.getItem("keys") !== "off";
  const show = () => toggle.setAttribute("aria-pressed", String(keys));
  toggle.hidden = false;
  show();
  toggle.addEventListener("click", () => {
    keys = !keys;
    localStorage.setItem("keys", keys ? "on" : "off");
    show();
  });

  const step = (by) => {
    const all = opens();
    if (!all.length) return;
    const at = all.findIndex((open) => row(open) === row(document.activeElement));
    const next = at < 0 ? 0 : Math.min(all.length - 1, Math.max(0, at + by));
    all[next].focus();
    row(all[next]).scrollIntoView({ block: "nearest" });
  };

  document.addEventListener("keydown", (event) => {
    if (!keys || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, select, textarea")) return;
    if (event.key === "j") step(1);
    else if (event.key === "k") step(-1);
    else if (event.key === "o") row(document.activeElement)?.querySelector("a.open").click();
    else return;
    event.preventDefault();
  });

  // ---- a row that leaves the list hands the focus to the one that takes its place
  let left = -1;
  document.addEventListener("htmx:before:request", (event) => {
    const acted = row(event.target);
    left = acted ? [...acted.parentNode.children].indexOf(acted) : -1;
  });
  document.addEventListener("htmx:after:settle", () => {
    if (left < 0 || (document.activeElement && document.activeElement !== document.body)) return;
    const all = opens();
    (all[Math.min(left, all.length - 1)] || list().querySelector(".tabs a"))?.focus();
    left = -1;
  });

  // ---- a list that no longer follows must not look like a quiet day
  const live = document.getElementById("live");
  let heard = false;
  const say = (on) => {
    heard = true;
    const words = on ? live.dataset.on : live.dataset.off;
    if (live.textContent !== words) live.textContent = words;
    live.classList.toggle("off", !on);
  };
  setTimeout(() => heard || say(false), 15000);
  live.addEventListener("htmx:sse:after:connection", () => say(true));
  live.addEventListener("htmx:sse:error", () => say(false));
  live.addEventListener("htmx:error", () => say(false));
  live.addEventListener("htmx:response:error", () => say(false));
})();
