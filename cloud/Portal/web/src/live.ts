import { restate, tick, tickAge } from "./ages";
import { figure, page, qualityBits, qualityWords, word } from "./page";

/**
 * One observation of an `observations` event, as the API documents it (`/api/v1/live?batch=true`): datastream, `municipality/station`, quantity, start of the averaging period in milliseconds since the epoch, result, names
 * of the quality flags raised. An event holds all of half a second: two thousand a second are two events to read.
 */
type ObservationRow = [datastream: number, stationId: string, property: string, time: number, result: number, quality?: string[]];

/** One observation as the pages use it. */
export interface LiveObservation {
  datastream: number;
  /** Its station, `municipality/station`. */
  stationId: string;
  /** Quantity id. */
  property: string;
  /** Start of the averaging period, milliseconds since the epoch. */
  time: number;
  value: number;
  quality: number;
}

type State = "connecting" | "live" | "lost";

/** Idle time after which the hub is asked whether it is still there, and how long it may take to answer: together under 10 s. */
const idleLimit = 3_000;
const pulseLimit = 3_000;
const watchEvery = 2_000;
const retryMin = 1_000;
const retryMax = 10_000;
/** How often what came in is written to the page, however much it is. */
const writeEvery = 250;
/** More values than that at once are written without a flash. */
const flashMax = 100;
/** Figures that no single event changes (how many stations report, how long an alarm has lasted) are fetched this often. */
const refreshEvery = 60_000;

let state: State = "connecting";
let source: EventSource | undefined;
let heardAt = 0;
let retry = retryMin;
let retryTimer = 0;
let asking = false;
let wasLost = false;
const waiting = new Map<number, LiveObservation>();

function show(next: State): void {
  if (state === next && document.documentElement.dataset.live === next) return;
  state = next;
  document.documentElement.dataset.live = next;
  for (const element of document.querySelectorAll<HTMLElement>("hub-live")) {
    element.hidden = false;
    element.dataset.state = next;
    const text = element.querySelector("[data-live-word]");
    if (text) text.textContent = word(`live.${next}`);
  }
  for (const element of document.querySelectorAll<HTMLElement>("[data-lost-banner]")) element.hidden = next !== "lost";
}

function lost(): void {
  source?.close();
  source = undefined;
  wasLost = true;
  show("lost");
  window.clearTimeout(retryTimer);
  if (document.visibilityState === "hidden") return;
  retryTimer = window.setTimeout(connect, retry);
  retry = Math.min(retry * 2, retryMax);
}

/** What a row says; nothing when it is not what the API documents: a page must never show a figure that is none. */
function observationOf(row: unknown): LiveObservation | undefined {
  if (!Array.isArray(row)) return undefined;
  const [datastream, stationId, property, time, value, quality] = row as ObservationRow;
  if (typeof datastream !== "number" || typeof value !== "number" || typeof time !== "number") return undefined;
  return { datastream, stationId, property, time, value, quality: qualityBits(quality) };
}

function connect(): void {
  source?.close();
  window.clearTimeout(retryTimer);
  const stream = new EventSource(page.live);
  source = stream;
  heardAt = performance.now();
  stream.onopen = () => {
    heardAt = performance.now();
    retry = retryMin;
    show("live");
    if (wasLost) {
      wasLost = false;
      void refresh("readings", "alarms");
    }
  };
  stream.onerror = () => {
    if (source === stream) lost();
  };
  stream.addEventListener("observations", (event) => {
    heardAt = performance.now();
    for (const row of JSON.parse((event as MessageEvent<string>).data) as unknown[]) {
      const detail = observationOf(row);
      if (!detail) continue;
      const held = waiting.get(detail.datastream);
      if (!held || held.time <= detail.time) waiting.set(detail.datastream, detail);
      document.dispatchEvent(new CustomEvent<LiveObservation>("hub:observation", { detail }));
    }
  });
  stream.addEventListener("alarm", () => {
    heardAt = performance.now();
    refreshSoon();
  });
}

/** Asks the hub whether it is there when the stream has said nothing for a while: a dead connection makes no sound. */
async function watch(): Promise<void> {
  if (asking || state === "lost" || document.visibilityState === "hidden" || performance.now() - heardAt < idleLimit) return;
  asking = true;
  try {
    const answer = await fetch(page.pulse, { cache: "no-store", signal: AbortSignal.timeout(pulseLimit) });
    if (!answer.ok) throw new Error(String(answer.status));
    heardAt = performance.now();
  } catch {
    lost();
  } finally {
    asking = false;
  }
}

/** Where the page shows a datastream, and a station. Found once, not for each of thousands of values a second; looked for anew when the page has been written anew. */
let shown: { readings: Map<string, HTMLElement[]>; stations: Map<string, HTMLElement[]> } | undefined;
document.addEventListener("hub:refreshed", () => (shown = undefined));

function places(): NonNullable<typeof shown> {
  if (shown) return shown;
  const by = (attribute: string, key: (element: HTMLElement) => string | undefined): Map<string, HTMLElement[]> => {
    const found = new Map<string, HTMLElement[]>();
    for (const element of document.querySelectorAll<HTMLElement>(`[${attribute}]`)) {
      const name = key(element) ?? "";
      const all = found.get(name);
      if (all) all.push(element);
      else found.set(name, [element]);
    }
    return found;
  };
  shown = { readings: by("data-datastream", (one) => one.dataset.datastream), stations: by("data-station", (one) => one.dataset.station) };
  return shown;
}

function write(): void {
  if (waiting.size === 0) return;
  // When everything changes, a flash at each tells nothing.
  const flash = waiting.size <= flashMax;
  let newest = 0;
  for (const observation of waiting.values()) newest = Math.max(newest, apply(observation, flash));
  waiting.clear();
  const newestText = new Date(newest).toISOString();
  for (const element of document.querySelectorAll<HTMLElement>("[data-newest-of-all]")) {
    if (newest > 0 && !(Date.parse(element.dateTime) >= newest)) element.dateTime = newestText;
  }
}

/** Writes one value wherever the page shows it. Returns the end of its averaging period; 0 when it says nothing of a place. */
function apply(observation: LiveObservation, flash: boolean): number {
  const { readings, stations } = places();
  // Of a datastream that this page does not list the period is unknown: then the start of the period counts, which is never too young.
  let newestEnd = observation.time;
  for (const reading of readings.get(String(observation.datastream)) ?? []) {
    const ends = observation.time + Number(reading.dataset.period) * 1000;
    newestEnd = Math.max(newestEnd, ends);
    const age = reading.querySelector<HTMLElement>("time[data-age]");
    if (age && Date.parse(age.dateTime) > ends) continue;
    const value = reading.querySelector<HTMLElement>("[data-value]");
    if (value) {
      const text = figure(observation.value, Number(reading.dataset.decimals));
      if (value.textContent !== text) value.textContent = text;
      reading.classList.remove("no-value");
    }
    if (age) {
      age.dateTime = new Date(ends).toISOString();
      tickAge(age);
    }
    const quality = reading.querySelector<HTMLElement>("[data-quality]");
    if (quality) {
      const words = qualityWords(observation.quality);
      const text = words || word("quality.0");
      if (quality.textContent !== text) quality.textContent = text;
      quality.classList.toggle("flagged", words !== "");
    }
    if (!flash) continue;
    reading.classList.remove("changed");
    requestAnimationFrame(() => reading.classList.add("changed"));
  }
  // A computer that still reports its own state does not make a station with dead sensors a reporting one.
  if (page.equipment.includes(observation.property)) return 0;
  for (const station of stations.get(observation.stationId) ?? []) {
    if (Date.parse(station.dataset.newest ?? "") >= newestEnd) continue;
    station.dataset.newest = new Date(newestEnd).toISOString();
    if (station.dataset.status !== "fresh") restate(station);
  }
  return newestEnd;
}

let refreshTimer = 0;
function refreshSoon(): void {
  if (refreshTimer) return;
  refreshTimer = window.setTimeout(() => {
    refreshTimer = 0;
    void refresh("alarms", "readings");
  }, 1_500);
}

const focusable = "a[href], button, summary, [tabindex]";

/** Remembers what has the focus in a region, and gives it back after the region was written anew: to the same alarm, or the one that has taken its place. Typed fields are not written over at all. */
function placeOf(region: HTMLElement): (() => void) | undefined {
  const held = document.activeElement;
  if (!(held instanceof HTMLElement) || !region.contains(held)) return undefined;
  const alarm = held.closest<HTMLElement>("[data-alarm]");
  const row = alarm ? [...region.querySelectorAll("[data-alarm]")].indexOf(alarm) : -1;
  const of = (within: HTMLElement): HTMLElement[] => [...within.querySelectorAll<HTMLElement>(focusable)];
  const at = of(alarm ?? region).indexOf(held);
  return () => {
    const rows = [...region.querySelectorAll<HTMLElement>("[data-alarm]")];
    const within = alarm ? (rows.find((one) => one.dataset.alarm === alarm.dataset.alarm) ?? rows[Math.min(row, rows.length - 1)]) : region;
    const all = within ? of(within) : [];
    (all[at] ?? all[0])?.focus({ preventScroll: true });
  };
}

/** Fetches this page again and takes over the named regions: the server stays the only one who writes them. */
async function refresh(...regions: string[]): Promise<void> {
  try {
    const answer = await fetch(location.href, { headers: { accept: "text/html" }, cache: "no-store", signal: AbortSignal.timeout(10_000) });
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const region of regions) {
      for (const held of document.querySelectorAll<HTMLElement>(`[data-region="${region}"]`)) {
        const next = fresh.getElementById(held.id);
        if (!next || held.querySelector(":is(input, select, textarea):focus")) continue;
        const unfolded = [...held.querySelectorAll("details[open][id]")].map((one) => one.id);
        const place = placeOf(held);
        held.replaceChildren(...next.childNodes);
        for (const id of unfolded) document.getElementById(id)?.setAttribute("open", "");
        place?.();
      }
    }
    tick();
    document.dispatchEvent(new CustomEvent("hub:refreshed"));
  } catch {
    // The next event or reconnection tries again; the lost state is shown by the watch.
  }
}

export function startLive(): void {
  document.addEventListener("hub:acted", () => void refresh("alarms"));
  if (!document.querySelector("hub-live")) return;
  show("connecting");
  connect();
  window.setInterval(() => void watch(), watchEvery);
  window.setInterval(write, writeEvery);
  window.setInterval(() => {
    if (state === "live" && document.visibilityState === "visible") void refresh("alarms", "readings");
  }, refreshEvery);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") {
      source?.close();
      source = undefined;
      window.clearTimeout(retryTimer);
      wasLost = true;
    } else if (!source) {
      connect();
    }
  });
}
