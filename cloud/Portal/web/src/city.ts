import "./map.css";
import { word } from "./page";
import { drawn, find, load, loadDay, moment, moveTo, paint, show, start, stepAt, steps } from "./places";

/** One step of the film, milliseconds: slow enough to read a sign, a day in half a minute. */
const filmStep = 900;

/** Writes what the map shows to the cards of the list: a sign with its class, the value, and how old it is. */
function writeCards(): void {
  if (show() === "") return;
  const then = moment() !== undefined;
  for (const card of document.querySelectorAll<HTMLElement>("#station-list [data-shown]")) {
    const place = find(card.closest<HTMLElement>("[data-station]")?.dataset.station ?? "");
    if (!place) continue;
    const now = drawn(place);
    const sign = card.querySelector<HTMLElement>("[data-value-sign]");
    if (sign) {
      set(sign, String(now.class || "–"));
      const names = `value-sign ${paint(now.class)}${now.stale ? " is-old" : ""}`;
      if (sign.className !== names) sign.className = names;
    }
    const text = card.querySelector<HTMLElement>("[data-shown-value]");
    if (text) set(text, now.class === 0 ? word(then ? "map.none.then" : "map.none") : now.text);
    card.classList.toggle("has-none", now.class === 0);
    card.classList.toggle("is-then", then);
    const age = card.querySelector<HTMLElement>("time[data-age]");
    if (age && place.value !== undefined) {
      const iso = new Date(place.end).toISOString();
      if (age.dateTime !== iso) age.dateTime = iso;
    }
  }
}

function set(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** The slider over the last 24 hours: the right end is now, and live. */
class MapTime extends HTMLElement {
  #film = 0;

  connectedCallback(): void {
    const range = this.querySelector<HTMLInputElement>("input[type=range]");
    const label = this.querySelector<HTMLElement>("[data-moment]");
    const play = this.querySelector<HTMLButtonElement>("[data-play]");
    const back = this.querySelector<HTMLButtonElement>("[data-now]");
    const failed = this.querySelector<HTMLElement>("[data-day-failed]");
    if (!range || !label || !play || !back || !failed) return;
    this.hidden = false;

    const write = (): void => {
      const step = moment();
      const times = step === undefined ? undefined : stepAt(step);
      const text = times ? this.#written(times.from, times.to, times.zone) : word("map.now");
      set(label, text);
      range.setAttribute("aria-valuetext", text);
      // Without a day at hand the slider has its place as it came: its right end is now.
      range.value = step === undefined ? range.max : String(step);
      back.hidden = step === undefined;
      document.documentElement.classList.toggle("map-then", step !== undefined);
    };
    /** With the day at hand does something; without it, says so. */
    const withDay = async (then: () => void): Promise<void> => {
      this.setAttribute("aria-busy", "true");
      const good = await loadDay();
      this.removeAttribute("aria-busy");
      failed.hidden = good;
      if (!good) {
        stop();
        moveTo(undefined);
        write();
        return;
      }
      range.max = String(steps());
      then();
      write();
    };
    const stop = (): void => {
      window.clearInterval(this.#film);
      this.#film = 0;
      play.setAttribute("aria-pressed", "false");
    };
    // Before the day has come the slider has 24 steps of an hour: its place is kept as a share.
    range.addEventListener("input", () => {
      stop();
      const share = Number(range.value) / Number(range.max);
      void withDay(() => moveTo(Math.round(share * steps())));
    });
    play.addEventListener("click", () => {
      if (this.#film) {
        stop();
        return;
      }
      play.setAttribute("aria-pressed", "true");
      void withDay(() => {
        if (moment() === undefined) moveTo(0);
        this.#film = window.setInterval(() => {
          const next = (moment() ?? steps()) + 1;
          moveTo(next);
          if (next >= steps()) stop();
          write();
        }, filmStep);
      });
    });
    back.addEventListener("click", () => {
      stop();
      moveTo(undefined);
      write();
      range.focus();
    });
    this.querySelector("[data-day-again]")?.addEventListener("click", () => {
      void withDay(() => range.focus());
    });
    write();
  }

  #written(from: number, to: number, zone: string): string {
    const language = document.documentElement.lang;
    const clock = new Intl.DateTimeFormat(language, { timeZone: zone, hour: "2-digit", minute: "2-digit" });
    const date = new Intl.DateTimeFormat(language, { timeZone: zone, weekday: "short", day: "numeric", month: "numeric" });
    return `${date.format(from)}, ${clock.format(from)}–${clock.format(to)}`;
  }
}

/** Says when the stations of the map could not be fetched, and offers to try again. */
async function begin(): Promise<void> {
  const failed = document.querySelector<HTMLElement>("[data-stations-failed]");
  const told = (good: boolean): void => {
    if (failed) failed.hidden = good;
  };
  document.querySelector("[data-stations-again]")?.addEventListener("click", () => void load().then(told));
  told(await start());
}

document.addEventListener("hub:places", writeCards);
document.addEventListener("hub:refreshed", writeCards);
customElements.define("hub-map-time", MapTime);
void begin();
