import { tick } from "./ages";
import { figure, page, qualityBits, qualityWords, word } from "./page";

/** One observation as the stream brings it. */
export interface LiveObservation {
  datastream: number;
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
  stream.addEventListener("observation", (event) => {
    heardAt = performance.now();
    const said = JSON.parse((event as MessageEvent<string>).data) as { datastream: number; time: string; value: number; quality: unknown };
    const time = Date.parse(said.time);
    const held = waiting.get(said.datastream);
    if (!held || held.time <= time) {
      waiting.set(said.datastream, { datastream: said.datastream, time, value: said.value, quality: qualityBits(said.quality) });
    }
    document.dispatchEvent(new CustomEvent<LiveObservation>("hub:observation", {
      detail: { datastream: said.datastream, time, value: said.value, quality: qualityBits(said.quality) },
    }));
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

function write(): void {
  if (waiting.size === 0) return;
  for (const observation of waiting.values()) apply(observation);
  waiting.clear();
  tick();
}

function apply(observation: LiveObservation): void {
  for (const reading of document.querySelectorAll<HTMLElement>(`[data-datastream="${observation.datastream}"]`)) {
    const ends = observation.time + Number(reading.dataset.period) * 1000;
    const age = reading.querySelector<HTMLElement>("time[data-age]");
    if (age && Date.parse(age.dateTime) > ends) continue;
    const value = reading.querySelector<HTMLElement>("[data-value]");
    if (value) {
      value.textContent = figure(observation.value, Number(reading.dataset.decimals));
      reading.classList.remove("no-value");
    }
    if (age) age.dateTime = new Date(ends).toISOString();
    const quality = reading.querySelector<HTMLElement>("[data-quality]");
    if (quality) {
      const words = qualityWords(observation.quality);
      quality.textContent = words || word("quality.0");
      quality.classList.toggle("flagged", words !== "");
    }
    reading.classList.remove("changed");
    requestAnimationFrame(() => reading.classList.add("changed"));
    for (const newest of document.querySelectorAll<HTMLElement>("[data-newest-of-all]")) {
      if (Date.parse(newest.dateTime) < ends) newest.dateTime = new Date(ends).toISOString();
    }
    const station = reading.closest<HTMLElement>("[data-station]");
    if (station && !(Date.parse(station.dataset.newest ?? "") >= ends)) station.dataset.newest = new Date(ends).toISOString();
  }
}

let refreshTimer = 0;
function refreshSoon(): void {
  if (refreshTimer) return;
  refreshTimer = window.setTimeout(() => {
    refreshTimer = 0;
    void refresh("alarms", "readings");
  }, 1_500);
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
        if (!next || held.contains(document.activeElement)) continue;
        held.replaceChildren(...next.childNodes);
      }
    }
    tick();
    document.dispatchEvent(new CustomEvent("hub:refreshed"));
  } catch {
    // The next event or reconnection tries again; the lost state is shown by the watch.
  }
}

export function startLive(): void {
  if (!document.querySelector("hub-live")) return;
  show("connecting");
  connect();
  window.setInterval(() => void watch(), watchEvery);
  window.setInterval(write, writeEvery);
  window.setInterval(() => {
    if (state === "live" && document.visibilityState === "visible") void refresh("alarms");
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
