"use strict";
(() => {
  const live = document.getElementById("live");
  const link = document.getElementById("link");
  const announcement = document.getElementById("announcement");
  const LOST_AFTER_MS = 3000;
  let version = null, lastEventAt = Date.now(), busy = false, again = false;

  // Attributes that belong to the reader, not to the report.
  const theirs = (node, name) => name === "open" && node.nodeName === "DETAILS";

  const key = (node) => (node.nodeType === 1 && (node.id || node.querySelector?.(":scope > [id]")?.id)) || "";

  const attributes = (old, fresh) => {
    for (const { name, value } of fresh.attributes) {
      if (!theirs(old, name) && old.getAttribute(name) !== value) old.setAttribute(name, value);
    }
    for (const { name } of [...old.attributes]) {
      if (!theirs(old, name) && !fresh.hasAttribute(name)) old.removeAttribute(name);
    }
  };

  // Change only what differs, so that nothing flickers, and focus, selection and open details stay.
  const morph = (old, fresh) => {
    const keyed = new Map([...old.childNodes].filter(key).map((node) => [key(node), node]));
    let place = old.firstChild;
    for (const wanted of [...fresh.childNodes]) {
      const name = key(wanted);
      let node = name ? keyed.get(name) : place;
      while (!name && node && key(node)) node = node.nextSibling;
      if (node && node.nodeType === wanted.nodeType && node.nodeName === wanted.nodeName && key(node) === name) {
        if (node !== place) old.insertBefore(node, place);
        if (node.nodeType === 1) {
          if (!node.isEqualNode(wanted)) { attributes(node, wanted); morph(node, wanted); }
        } else if (node.nodeValue !== wanted.nodeValue) node.nodeValue = wanted.nodeValue;
        place = node.nextSibling;
      } else {
        old.insertBefore(wanted, place);
      }
    }
    while (place) {
      const next = place.nextSibling;
      place.remove();
      place = next;
    }
  };

  // `unfold`: after a choice of the reader, not after an update.
  const filter = (unfold) => {
    const form = document.getElementById("filter");
    if (!form) return;
    const status = form.elements.status.value;
    const area = form.elements.area.value;
    const asked = status !== "" || area !== "";
    let count = 0;
    for (const row of live.querySelectorAll("#findings [data-status]")) {
      row.hidden = (status !== "" && row.dataset.status !== status) || (area !== "" && row.dataset.area !== area);
      count += !row.hidden;
    }
    for (const group of live.querySelectorAll("details.group")) {
      group.hidden = !group.querySelector("[data-status]:not([hidden])");
      if (asked && unfold) group.open = true;
    }
    const output = form.querySelector("output");
    const text = asked ? `${count} shown` : "";
    if (output.textContent !== text) output.textContent = text;
  };

  // What only works with a script is hidden in what the server sends; the count of the filter is announced once.
  const ready = (root) => {
    for (const it of root.querySelectorAll("button.copy, #filter")) it.hidden = false;
    const output = root.querySelector("#filter output");
    const shown = document.querySelector("#filter output");
    if (output && shown) output.textContent = shown.textContent;
  };

  const show = (state, text) => {
    if (link.className === state) return;
    link.className = state;
    link.lastElementChild.textContent = text;
    live.classList.toggle("lost", state === "off");
    if (state === "off") document.title = "Not live · Blueplane pipeline health";
  };

  const fetched = async () => {
    if (busy) { again = true; return; }
    busy = true;
    try {
      const response = await fetch("live", { cache: "no-cache" });
      if (response.ok) {
        const page = new DOMParser().parseFromString(await response.text(), "text/html");
        ready(page.body);
        morph(live, page.body);
        filter(false);
        document.getElementById("favicon").href = live.querySelector(".verdict").dataset.dot;
      }
    } catch { /* the event stream tells when it is back */ }
    busy = false;
    if (again) { again = false; fetched(); }
  };

  const events = new EventSource("live/events");
  events.addEventListener("report", (event) => {
    lastEventAt = Date.now();
    show("on", "Live");
    const message = JSON.parse(event.data);
    const word = message.status[0].toUpperCase() + message.status.slice(1);
    document.title = `${word} · Blueplane pipeline health, live`;
    if (live.dataset.status !== message.status) announcement.textContent = `The pipeline is now ${message.status}`;
    live.dataset.status = message.status;
    if (version !== message.version) { version = message.version; fetched(); }
  });
  setInterval(() => {
    if (Date.now() - lastEventAt > LOST_AFTER_MS) show("off", "Not live: the service does not answer");
  }, 500);

  document.addEventListener("change", (event) => { if (event.target.closest("#filter")) filter(true); });
  document.addEventListener("submit", (event) => event.preventDefault());
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button.copy");
    if (!button) return;
    const code = button.parentElement.querySelector("code");
    try {
      await navigator.clipboard.writeText(code.textContent);
      announcement.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(code);
    }
  });
  ready(live);
  show("wait", "Connecting");
})();
