import { create } from "qrcode/lib/core/qrcode.js";
import { tick } from "./ages";

const svg = "http://www.w3.org/2000/svg";
/** Light modules around the code that readers need (ISO/IEC 18004). */
const quiet = 4;
/** How often a page that waits for an agent asks how far it is. */
const askEvery = 5_000;

/** Draws its text as a QR code, dark on light in either theme: readers expect that. The same text stands beside it. */
class HubQr extends HTMLElement {
  connectedCallback(): void {
    const text = this.dataset.text ?? "";
    if (text === "" || this.firstChild) return;
    const { size, data } = create(text, { errorCorrectionLevel: "M" }).modules;
    const side = size + 2 * quiet;
    const picture = document.createElementNS(svg, "svg");
    picture.setAttribute("viewBox", `0 0 ${side} ${side}`);
    picture.setAttribute("role", "img");
    picture.setAttribute("aria-label", this.dataset.label ?? text);
    picture.setAttribute("shape-rendering", "crispEdges");
    let path = "";
    for (let row = 0; row < size; row++) {
      for (let column = 0; column < size; column++) {
        if (data[row * size + column]) path += `M${column + quiet} ${row + quiet}h1v1h-1z`;
      }
    }
    const ground = document.createElementNS(svg, "rect");
    ground.setAttribute("width", String(side));
    ground.setAttribute("height", String(side));
    ground.setAttribute("class", "qr-light");
    const modules = document.createElementNS(svg, "path");
    modules.setAttribute("d", path);
    modules.setAttribute("class", "qr-dark");
    picture.append(ground, modules);
    this.append(picture);
  }
}

/** The page of a claim says by itself when an agent has claimed, connected and reported. Only that part is fetched anew: the code is shown once. */
async function follow(): Promise<void> {
  const held = document.getElementById("claim-state");
  if (held?.dataset.follow !== "true" || document.visibilityState === "hidden") return;
  try {
    const answer = await fetch(location.pathname, { headers: { accept: "text/html" }, cache: "no-store", signal: AbortSignal.timeout(10_000) });
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("claim-state");
    if (!fresh) return;
    held.dataset.status = fresh.dataset.status;
    held.dataset.follow = fresh.dataset.follow;
    // What is read out by screen readers is only touched when it says something else.
    if (held.innerHTML !== fresh.innerHTML) held.replaceChildren(...fresh.childNodes);
    tick();
  } catch {
    // The next turn asks again.
  }
}

/** Puts the code that stands behind the # of the address where it belongs. It is sent nowhere. */
function showCode(): void {
  const code = /^#([0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4})$/.exec(location.hash.toUpperCase())?.[1];
  const hint = document.querySelector<HTMLElement>("[data-no-code]");
  if (!code || !hint) return;
  hint.hidden = true;
  for (const place of document.querySelectorAll("[data-code]")) place.textContent = code;
}

customElements.define("hub-qr", HubQr);
showCode();
window.addEventListener("hashchange", showCode);
for (const button of document.querySelectorAll<HTMLButtonElement>("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}
if (document.getElementById("claim-state")) window.setInterval(() => void follow(), askEvery);
