// Times in the viewer's zone, rows that copy, forms that ask first. Every page works without it.
"use strict";
(() => {
  const shown = document.getElementById("zone");
  const mine = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const chosen = document.cookie.split("; ").some((part) => part.startsWith("bounced_zone="));

  // The first time, the page came in the zone of its host: show its times in this one, and say so to the server for the next one.
  if (shown && !chosen && mine) {
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `bounced_zone=${mine}; Path=/; Max-Age=31536000; SameSite=Strict${secure}`;
    const format = new Intl.DateTimeFormat("en-GB", {
      day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", hour12: false,
    });
    for (const time of document.querySelectorAll("time[datetime*=T]")) {
      time.textContent = format.format(new Date(time.dateTime));
    }
    shown.textContent = mine.replaceAll("_", " ");
  }

  // On a phone the navigation is a strip: bring the page one is on into view.
  document.querySelector(".side [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

  for (const button of document.querySelectorAll("button[data-copy]")) {
    button.hidden = !navigator.clipboard;
    button.addEventListener("click", async () => {
      const from = document.getElementById(button.dataset.copy);
      await navigator.clipboard.writeText(from.textContent);
      const words = button.textContent;
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = words; }, 1500);
    });
  }

  for (const form of document.querySelectorAll("form[data-submit-on-change]")) {
    form.addEventListener("change", () => form.requestSubmit());
  }
})();
