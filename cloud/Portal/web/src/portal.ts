import "./portal.css";
import "./rules.css";
import "./console.css";
import { tick } from "./ages";
import { startBell } from "./bell";
import { startKeys } from "./keys";
import { startLate } from "./late";
import { startLive } from "./live";
import { followUnits } from "./units";

document.documentElement.classList.add("js");

/** On a phone the navigation scrolls sideways: where one is must be in sight. */
document.querySelector(".main [aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });

/** Forms that only choose what is shown submit themselves; without script their button does. What is typed is sent by Enter, once, and never because somebody goes on to something else. */
for (const form of document.querySelectorAll<HTMLFormElement>("form[data-auto]")) {
  form.addEventListener("change", (event) => {
    if (!(event.target instanceof HTMLInputElement && /^(search|text|number)$/.test(event.target.type))) form.requestSubmit();
  });
}

tick();
window.setInterval(tick, 1_000);
followUnits();
startKeys();
startBell();
startLive();
startLate();
