"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  // The reader's own time beside each moment, unless it is UTC.
  const clock = new Intl.DateTimeFormat([], { timeStyle: "medium" });
  const calendar = new Intl.DateTimeFormat([], { dateStyle: "medium", timeStyle: "medium" });
  for (const time of all("time[datetime]")) {
    const moment = new Date(time.dateTime);
    if (Number.isNaN(moment.getTime()) || moment.getTimezoneOffset() === 0) continue;
    const format = moment.getDate() === moment.getUTCDate() ? clock : calendar;
    const local = document.createElement("span");
    local.className = "local";
    local.textContent = ` (${format.format(moment)} local)`;
    time.append(local);
  }

  // Copying. Where the clipboard is refused, the command is left selected.
  for (const button of all("button.copy")) {
    const word = button.firstChild;
    button.hidden = false;
    button.addEventListener("click", async () => {
      const code = button.parentElement.querySelector("code");
      try {
        await navigator.clipboard.writeText(code.textContent);
        word.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(code);
        word.textContent = document.execCommand("copy") ? "Copied" : "Selected";
      }
      setTimeout(() => { word.textContent = "Copy"; }, 2000);
    });
  }

  // The filter.
  const form = document.getElementById("filter");
  const green = document.getElementById("green");
  if (form) {
    const items = all("[data-status]");
    const apply = () => {
      const wanted = all("input:checked", form).map((box) => box.value);
      const area = form.elements.area.value;
      let shown = 0;
      for (const item of items) {
        item.hidden = !wanted.includes(item.dataset.status) || (area !== "" && item.dataset.area !== area);
        shown += !item.hidden;
      }
      if (green) green.hidden = !all("tr[data-status]:not([hidden])", green).length;
      form.querySelector("output").textContent =
        shown === items.length ? "" : `Showing ${shown} of ${items.length} checks`;
    };
    form.hidden = false;
    form.addEventListener("change", apply);
    form.addEventListener("submit", (event) => event.preventDefault());
    apply(); // a browser may have kept the boxes as they were before a reload
  }

  // A link to a finding opens what it is in.
  const reveal = () => {
    let id = "";
    try { id = decodeURIComponent(location.hash.slice(1)); } catch { return; }
    const target = id && document.getElementById(id);
    if (!target) return;
    const within = target.closest("details");
    const hidden = target.closest("[hidden]");
    if (hidden && form) { form.reset(); form.dispatchEvent(new Event("change")); }
    if (within) within.open = true;
    if (within || hidden) target.scrollIntoView();
  };
  window.addEventListener("hashchange", reveal);
  reveal();
})();
