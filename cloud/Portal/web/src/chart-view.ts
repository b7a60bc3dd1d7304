import { hubNow, page } from "./page";

/** The time axis that all charts of a page share, seconds since the epoch. */
export interface Stretch {
  from: number;
  to: number;
}

/** Shortest and longest stretch, seconds; the page refuses others (`StationWindow`). */
const spanMin = 10;
const spanMax = 366 * 86_400;
const addressAfter = 300;
const stepsBack = 50;

const bar = document.querySelector<HTMLElement>(".chart-bar");
const words = JSON.parse(document.getElementById("chart-words")?.textContent ?? "{}") as Record<string, string>;

/** A text of the charts' scripts in the page's language; `{0}` is replaced. */
export function say(key: string, ...values: (string | number)[]): string {
  const text = words[`chart.say.${key}`];
  if (text === undefined) throw new Error(`No text for chart.say.${key}.`);
  return values.reduce<string>((sofar, value, index) => sofar.replace(`{${index}}`, String(value)), text);
}

/** A stretch that lies within what there can be, of a length that is allowed: first the length is put right, then the place. Pure. */
export function bounded(wanted: Stretch, begin: number, now: number): Stretch {
  const middle = (wanted.from + wanted.to) / 2;
  const span = Math.min(Math.max(wanted.to - wanted.from, spanMin), Math.max(spanMin, Math.min(spanMax, now - begin)));
  let [from, to] = wanted.to - wanted.from === span ? [wanted.from, wanted.to] : [middle - span / 2, middle + span / 2];
  if (to > now) [from, to] = [now - span, now];
  if (from < begin) [from, to] = [begin, begin + span];
  return { from, to };
}

/** Where the charts of the page are. A chosen stretch stays; without one it is the last hours and goes with the time. */
class ChartView {
  #chosen: Stretch | undefined;
  #hours = 24;
  #home: Stretch | undefined;
  #begin = 0;
  #known = false;
  #past: (Stretch | undefined)[] = [];
  #frame = 0;
  #address = 0;
  readonly #listeners = new Set<() => void>();

  /** What the server says of the page: the first chart tells it. */
  begin(facts: { hours: number; from: number; to: number; follow: boolean }): void {
    if (this.#known) return;
    this.#known = true;
    this.#hours = facts.hours;
    if (!facts.follow) this.#chosen = { from: facts.from, to: facts.to };
    this.#home = this.#chosen;
    const begins = Date.parse(bar?.dataset.begin ?? "") / 1000;
    this.#begin = Math.min(Number.isNaN(begins) ? facts.from : begins, facts.from);
    this.#tell();
  }

  get follows(): boolean {
    return this.#chosen === undefined;
  }

  /** Whether what is shown is what the page opened with. */
  get isHome(): boolean {
    return this.#chosen?.from === this.#home?.from && this.#chosen?.to === this.#home?.to;
  }

  get stretch(): Stretch {
    const now = hubNow() / 1000;
    return this.#chosen ?? { from: now - this.#hours * 3600, to: now };
  }

  /** Hears of each change, at most once for each picture that the browser draws. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Shows a stretch. `step`: as a step that one can go back. */
  show(wanted: Stretch | undefined, step: boolean): void {
    if (step) {
      this.#past.push(this.#chosen);
      if (this.#past.length > stepsBack) this.#past.shift();
    }
    this.#chosen = wanted && bounded(wanted, this.#begin, hubNow() / 1000);
    this.#changed();
  }

  /** Remembers where it is now, so that what follows can be undone as one step: for the beginning of a drag. */
  mark(): void {
    this.#past.push(this.#chosen);
  }

  zoom(factor: number, share = 0.5): void {
    const { from, to } = this.stretch;
    const at = from + (to - from) * share;
    this.show({ from: at - (at - from) * factor, to: at + (to - at) * factor }, true);
  }

  move(share: number): void {
    const { from, to } = this.stretch;
    const by = (to - from) * share;
    this.show({ from: from + by, to: to + by }, true);
  }

  back(): void {
    if (this.#past.length === 0) return;
    this.#chosen = this.#past.pop();
    this.#changed();
  }

  whole(): void {
    this.#past = [];
    this.#chosen = this.#home;
    this.#changed();
  }

  act(what: string): void {
    switch (what) {
      case "in": return this.zoom(0.5);
      case "out": return this.zoom(2);
      case "earlier": return this.move(-0.25);
      case "later": return this.move(0.25);
      case "back": return this.back();
      case "whole": return this.whole();
    }
  }

  #changed(): void {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      for (const listener of this.#listeners) listener();
    });
    window.clearTimeout(this.#address);
    this.#address = window.setTimeout(() => this.#write(), addressAfter);
  }

  /** The address says what is shown, so that it can be sent to somebody; the form too. */
  #write(): void {
    const query = new URLSearchParams(location.search);
    if (this.#chosen) {
      query.delete("span");
      query.set("from", instant(this.#chosen.from));
      query.set("to", instant(this.#chosen.to));
    } else {
      query.delete("from");
      query.delete("to");
      if (bar?.dataset.span) query.set("span", bar.dataset.span);
    }
    const text = query.toString().replaceAll("%3A", ":");
    history.replaceState(history.state, "", location.pathname + (text ? `?${text}` : "") + location.hash);
    this.#tell();
  }

  #tell(): void {
    const { from, to } = this.stretch;
    const shown = bar?.querySelector("[data-shown]");
    if (shown) shown.textContent = say("shown", moment(from, to), moment(to, from));
    for (const [id, at] of [["chart-from", from], ["chart-to", to]] as const) {
      const field = document.getElementById(id);
      if (field instanceof HTMLInputElement && field !== document.activeElement && (this.#past.length > 0 || this.#chosen)) field.value = this.#chosen ? local(at) : "";
    }
    for (const button of bar?.querySelectorAll<HTMLButtonElement>("[data-view=back]") ?? []) button.setAttribute("aria-disabled", String(this.#past.length === 0));
  }
}

/** An instant as addresses have it, whole seconds. */
export const instant = (seconds: number): string => `${new Date(Math.round(seconds) * 1000).toISOString().slice(0, 19)}Z`;

const zone = bar?.dataset.zone ?? "UTC";
const parts = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" });

/** Local time of the municipality as a field for date and time has it. */
const local = (seconds: number): string => parts.format(seconds * 1000).replace(" ", "T");

/** A moment in words: with seconds where the stretch is short, with the year where it is another. */
function moment(at: number, other: number): string {
  const short = Math.abs(at - other) < 600;
  const sameYear = new Date(at * 1000).getUTCFullYear() === new Date(hubNow()).getUTCFullYear();
  return new Intl.DateTimeFormat(page.language, {
    timeZone: zone, day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", ...(short ? { second: "2-digit" } as const : {}), ...(sameYear ? {} : { year: "numeric" } as const),
  }).format(at * 1000);
}

export const view = new ChartView();

const tools = bar?.querySelector<HTMLElement>(".chart-tools");
if (tools) {
  tools.hidden = false;
  tools.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-view]") : null;
    if (button?.dataset.view) view.act(button.dataset.view);
  });
}
