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

  // The filter. What it asks for is unfolded; without it all stays as the reader left it.
  const form = document.getElementById("filter");
  const groups = all("details.group");
  if (form) {
    const items = all("[data-status]");
    const apply = () => {
      const status = form.elements.status.value;
      const area = form.elements.area.value;
      const asked = status !== "" || area !== "";
      let shown = 0;
      for (const item of items) {
        item.hidden = (status !== "" && item.dataset.status !== status) || (area !== "" && item.dataset.area !== area);
        shown += !item.hidden;
      }
      for (const group of groups) {
        group.hidden = !all("[data-status]:not([hidden])", group).length;
        if (asked) group.open = true;
      }
      form.querySelector("output").textContent = asked ? `Showing ${shown} of ${items.length} checks` : "";
    };
    form.hidden = false;
    form.addEventListener("change", apply);
    form.addEventListener("submit", (event) => event.preventDefault());
    apply(); // a browser may have kept the choice as it was before a reload
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
    for (let outer = within; outer; outer = outer.parentElement.closest("details")) outer.open = true;
    if (within || hidden) target.scrollIntoView();
  };
  window.addEventListener("hashchange", reveal);
  reveal();
})();
