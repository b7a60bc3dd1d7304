import "./wall.css";
import { hubNow, page } from "./page";

/** The clock of a screen on the wall, and its dimming at night, both by the city's time. A screen hangs for months: once a day, in the quietest hour, the page is fetched whole, so that a newer hub's page is shown. */
const wall = document.querySelector<HTMLElement>("hub-wall");
const opened = hubNow();
const theme = document.documentElement.dataset.chosen;
const day = 24 * 3600_000;

function tick(): void {
  if (!wall) return;
  const now = new Date(hubNow());
  const zone = wall.dataset.zone ?? "UTC";
  const parts = new Intl.DateTimeFormat(page.language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: zone }).formatToParts(now);
  const part = (type: string): string => parts.find((one) => one.type === type)?.value ?? "";
  const hour = Number(part("hour"));
  const clock = wall.querySelector("[data-clock]");
  if (clock) clock.textContent = `${part("hour")}:${part("minute")}`;
  const [from, until] = [Number(wall.dataset.nightFrom), Number(wall.dataset.nightUntil)];
  const night = from <= until ? hour >= from && hour < until : hour >= from || hour < until;
  wall.dataset.night = String(night);
  // At night the screen is dark, unless somebody has chosen a theme for it.
  if (theme === "auto") document.documentElement.dataset.theme = night ? "dark" : "auto";
  if (hubNow() - opened > day && hour === 4 && document.documentElement.dataset.live === "live") location.reload();
}

tick();
window.setInterval(tick, 1_000);
