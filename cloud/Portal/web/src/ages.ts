import { hubNow, page, word } from "./page";

/** How old something is, in words; the server writes the same words (Speech.cs). */
export function ageText(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  if (seconds < 1) return word("age.now");
  if (seconds < 60) return word("age.seconds", seconds);
  if (seconds < 3600) return word("age.minutes", Math.floor(seconds / 60));
  if (seconds < 48 * 3600) return word("age.hours", Math.floor(seconds / 3600));
  return word("age.days", new Intl.NumberFormat(page.language).format(Math.floor(seconds / 86400)));
}

/** Ticks: writes every age anew and marks what has become stale. */
export function tick(): void {
  const now = hubNow();
  for (const element of document.querySelectorAll<HTMLElement>("time[data-age]")) tickAge(element, now);
  for (const station of document.querySelectorAll<HTMLElement>("[data-station]")) restate(station, now);
}

/** Writes one age anew, and marks its value stale or fresh. */
export function tickAge(element: HTMLElement, now = hubNow()): void {
  const at = Date.parse(element.dateTime);
  if (Number.isNaN(at)) return;
  const text = ageText(now - at);
  if (element.textContent !== text) element.textContent = text;
  const limit = Number(element.dataset.staleAfter) * 1000;
  const stale = now - at > limit;
  if (element.classList.contains("stale") !== stale) {
    element.classList.toggle("stale", stale);
    element.closest(".reading")?.classList.toggle("is-stale", stale);
  }
}

/** A station's status from its newest value; an alarm outranks it. The server decides the same way (Freshness.cs). */
export function restate(station: HTMLElement, now = hubNow()): void {
  if (station.dataset.status === "alarm") return;
  const newest = Date.parse(station.dataset.newest ?? "");
  const age = now - newest;
  const status = Number.isNaN(age) || age > 24 * 3600_000 ? "silent" : age > Number(station.dataset.staleAfter) * 1000 ? "stale" : "fresh";
  if (station.dataset.status === status) return;
  station.dataset.status = status;
  for (const sign of station.querySelectorAll<HTMLElement>("[data-status-sign]")) {
    sign.querySelector("use")?.setAttribute("href", `#sign-${status}`);
    const text = sign.querySelector("[data-status-word]");
    if (text) text.textContent = word(`status.${status}`);
  }
  document.dispatchEvent(new CustomEvent("hub:status", { detail: station.dataset.station }));
}

declare global {
  interface HTMLElement {
    /** Of time elements. */
    dateTime: string;
  }
}
