// One fax: zoom and turn the pictures, show a word's place in its picture and a place's word in the text.
"use strict";
(() => {
  const sheets = document.getElementById("sheets");
  const tools = document.querySelector(".tools");
  if (tools) tools.hidden = false;

  // ---- size and turn
  let size = 1;
  let turn = 0;
  const lay = () => {
    for (const sheet of sheets.querySelectorAll(".sheet")) {
      const frame = sheet.querySelector(".frame");
      if (!frame) continue;
      const width = Number(sheet.dataset.width) || 1;
      const height = Number(sheet.dataset.height) || 1;
      const across = turn % 180 !== 0;
      frame.style.width = `${size * 100}%`;
      frame.style.aspectRatio = across ? `${height} / ${width}` : `${width} / ${height}`;
      const turned = sheet.querySelector(".turned");
      turned.style.width = across ? `${(width / height) * 100}%` : "100%";
      turned.style.transform = `translate(-50%, -50%) rotate(${turn}deg)`;
    }
  };
  const on = (id, act) => document.getElementById(id)?.addEventListener("click", () => { act(); lay(); });
  on("larger", () => { size = Math.min(4, size * 1.25); });
  on("smaller", () => { size = Math.max(0.25, size / 1.25); });
  on("fit", () => { size = 1; });
  on("turn", () => { turn = (turn + 90) % 360; });
  lay();

  // ---- places
  const draw = (page, box) => {
    const sheet = document.getElementById(`page-${page}`);
    const mark = sheet?.querySelector("rect.box");
    if (!mark) return null;
    const [x, y, width, height] = box.split(" ");
    for (const [name, value] of Object.entries({ x, y, width, height })) mark.setAttribute(name, value);
    return mark;
  };
  const clear = () => {
    for (const mark of sheets.querySelectorAll("rect.box")) mark.setAttribute("width", "0");
    for (const word of document.querySelectorAll(".word.on")) word.classList.remove("on");
  };
  // Scrolls the pictures alone: the page itself stays where the reader is.
  const bring = (mark) => {
    const place = mark.getBoundingClientRect();
    const seen = sheets.getBoundingClientRect();
    if (place.top >= seen.top && place.bottom <= seen.bottom) return;
    sheets.scrollTop += place.top - seen.top - seen.height / 3;
  };

  for (const text of document.querySelectorAll(".text")) {
    text.addEventListener("pointerover", (event) => {
      const word = event.target.closest(".word");
      if (!word) return;
      clear();
      word.classList.add("on");
      const mark = draw(text.dataset.page, word.dataset.box);
      if (mark) bring(mark);
    });
    text.addEventListener("pointerleave", clear);
  }

  for (const sheet of sheets.querySelectorAll(".sheet")) {
    const svg = sheet.querySelector("svg");
    const words = [...document.querySelectorAll(`.text[data-page="${sheet.id.slice(5)}"] .word`)];
    const places = words.map((word) => word.dataset.box.split(" ").map(Number));
    svg?.addEventListener("pointermove", (event) => {
      const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
      const found = places.findIndex(([x, y, w, h]) => at.x >= x && at.x <= x + w && at.y >= y && at.y <= y + h);
      if (found < 0) return clear();
      if (words[found].classList.contains("on")) return;
      clear();
      words[found].classList.add("on");
      draw(sheet.id.slice(5), words[found].dataset.box);
    });
    svg?.addEventListener("pointerleave", clear);
  }

  for (const button of document.querySelectorAll("button.show")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      clear();
      const mark = draw(button.dataset.page, button.dataset.box);
      if (!mark) return;
      sheets.scrollIntoView({ block: "nearest" });
      bring(mark);
    });
  }

  // ---- j and k go to the next and the previous fax, as in the list
  document.addEventListener("keydown", (event) => {
    if (localStorage.getItem("keys") === "off" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, select, textarea")) return;
    if (event.key === "j") document.getElementById("after")?.click();
    else if (event.key === "k") document.getElementById("before")?.click();
  });
})();
