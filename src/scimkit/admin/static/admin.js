// Comfort only: every page works without this file.
"use strict";

document.documentElement.classList.add("scripted");

for (const button of document.querySelectorAll("button[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const field = document.getElementById(button.dataset.copy);
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
    } catch {
      document.execCommand("copy"); // pages without TLS have no clipboard
    }
    const words = button.textContent;
    button.textContent = button.dataset.copied;
    setTimeout(() => { button.textContent = words; }, 2000);
  });
}

const live = document.querySelector("[data-live]");
if (live) {
  let shown = live.innerHTML;
  const refresh = async () => {
    try {
      const answer = await fetch(location.href, { credentials: "same-origin", cache: "no-store" });
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const next = page.querySelector("[data-live]");
      if (next && next.innerHTML !== shown) {
        shown = next.innerHTML;
        live.replaceChildren(...next.childNodes);
      }
    } catch { /* the server is away; the next attempt may succeed */ }
  };
  setInterval(() => { if (!document.hidden) refresh(); }, Number(live.dataset.live) * 1000);
}
