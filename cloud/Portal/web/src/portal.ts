import "./portal.css";
import "./rules.css";
import "./console.css";
import { tick } from "./ages";
import { startBell } from "./bell";
import { startKeys } from "./keys";
import { startLive } from "./live";
import { followUnits } from "./units";

document.documentElement.classList.add("js");

/** Forms that only choose what is shown submit themselves; without script their button does. */
for (const form of document.querySelectorAll<HTMLFormElement>("form[data-auto]")) {
  form.addEventListener("change", () => form.requestSubmit());
}

tick();
window.setInterval(tick, 1_000);
followUnits();
startKeys();
startBell();
startLive();
