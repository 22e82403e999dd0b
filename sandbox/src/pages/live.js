// Loads the page again every two seconds and takes over what changed, so that an arriving message shows by itself.
"use strict";

const NEAR_END = 80;

function toEnd(box) {
  box.scrollTop = box.scrollHeight;
}

async function refresh() {
  if (document.hidden) return;
  const response = await fetch(location.href, { credentials: "same-origin" });
  if (!response.ok) return;
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  for (const box of document.querySelectorAll("[data-live]")) {
    const next = fresh.getElementById(box.id);
    if (!next || next.innerHTML === box.innerHTML) continue;
    const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_END;
    box.replaceChildren(...next.childNodes);
    if ("end" in box.dataset && atEnd) toEnd(box);
  }
}

document.querySelectorAll("[data-end]").forEach(toEnd);
setInterval(() => refresh().catch(() => {}), 2000);
