import type { LiveObservation } from "./live";
import { figure, hubNow, page } from "./page";

/** A station as map and list know it. */
export interface Place {
  /** `municipality/station`. */
  id: string;
  name: string;
  /** Name of the municipality. */
  town: string;
  at: [number, number];
  status: string;
  /** End of the newest value of any quantity, milliseconds; undefined without one. */
  newest: number | undefined;
  /** Age past which the station is late, seconds. */
  late: number;
  /** The shown quantity's datastream; undefined where it has none. */
  datastream: number | undefined;
  period: number;
  /** What a value is multiplied with to be shown. */
  factor: number;
  value: number | undefined;
  /** End of its period, milliseconds. */
  end: number;
  /** Age past which the value is stale, seconds. */
  stale: number;
}

/** The last 24 hours as the hub tells them. */
interface Day {
  from: number;
  step: number;
  count: number;
  zone: string;
  values: Record<string, (number | null)[]>;
}

/** What a station is drawn with. */
export interface Drawn {
  /** 1 to 6; 0 without a value. */
  class: number;
  /** The value as the page's language writes it; of the index, its class in words. */
  text: string;
  stale: boolean;
}

/** What is shown, as the legend of the page says. */
interface Shown {
  show: string;
  bounds: number[];
  decimals: number;
  unit: string;
  /** Of which scale the colours are: `class` for bands of the air index, `shade` for others. */
  scale: string;
  /** What each class is called, from 1. */
  words: string[];
}

/** How often what came in is shown, however much it is. */
const showEvery = 1_000;
/** The hub is asked again for all stations at most this often. */
const askEvery = 10_000;

const byDatastream = new Map<number, Place>();
const byId = new Map<string, Place>();
let places: Place[] = [];
let shown: Shown = read();
let day: Day | undefined;
let dayAsked: Promise<boolean> | undefined;
let at: number | undefined;
let dirty = false;
let askedAt = 0;
let where = "";
let changes = 0;

/** All stations, of every part of the list. */
export function all(): readonly Place[] {
  return places;
}

/** Grows whenever stations come, go or move. */
export function version(): number {
  return changes;
}

export function find(id: string): Place | undefined {
  return byId.get(id);
}

/** What the map shows: empty for how stations stand. */
export function show(): string {
  return shown.show;
}

export function unit(): string {
  return shown.unit;
}

/** Style class of a sign with this class. */
export function paint(of: number): string {
  return `${shown.scale}-${of || "none"}`;
}

/** A class in words: its bounds, or what the index calls it. */
export function classWord(of: number): string {
  return shown.words[of - 1] ?? "";
}

/** Steps of the slider; the last one is now. */
export function steps(): number {
  return day?.count ?? 0;
}

/** Begin and end of a step, and the time zone in which to write them. */
export function stepAt(index: number): { from: number; to: number; zone: string } | undefined {
  return day && index < day.count ? { from: day.from + index * day.step * 1000, to: day.from + (index + 1) * day.step * 1000, zone: day.zone } : undefined;
}

/** The step that is shown; undefined for now. */
export function moment(): number | undefined {
  return at;
}

/** Shows a step, or now. */
export function moveTo(step: number | undefined): void {
  at = step !== undefined && day && step < day.count ? step : undefined;
  tell();
}

/** The class of a station at the moment that is shown, 1 to 6, 0 without a value; and whether the value is too old to be the present. */
export function standing(place: Place): { class: number; stale: boolean } {
  const value = valueOf(place);
  return value === undefined ? { class: 0, stale: false } : { class: classOf(value), stale: at === undefined && hubNow() - place.end > place.stale * 1000 };
}

/** How a station is drawn at the moment that is shown. */
export function drawn(place: Place): Drawn {
  const value = valueOf(place);
  const stands = standing(place);
  return { ...stands, text: value === undefined ? "" : shown.show === "index" ? classWord(value) : figure(value, shown.decimals) };
}

function valueOf(place: Place): number | undefined {
  return at !== undefined && day ? (day.values[place.id]?.[at] ?? undefined) : place.value;
}

/** As the server decides (MapClasses): an upper bound belongs to the class below it. */
function classOf(value: number): number {
  if (shown.show === "index") return value;
  const rounded = Math.round(value * 1e6) / 1e6;
  let index = 0;
  while (index < shown.bounds.length && rounded > (shown.bounds[index] ?? Infinity)) index++;
  return index + 1;
}

function read(): Shown {
  const legend = document.querySelector<HTMLElement>("[data-legend]");
  return {
    show: legend?.dataset.show ?? "",
    bounds: (legend?.dataset.bounds ?? "").split(" ").filter(Boolean).map(Number),
    decimals: Number(legend?.dataset.decimals ?? 0),
    unit: legend?.dataset.unit ?? "",
    scale: legend?.dataset.scale ?? "shade",
    words: [...(legend?.querySelectorAll("[data-class-word]") ?? [])].map((one) => one.textContent.trim()),
  };
}

/** Stations change at most once a second for whoever draws them. */
function tell(): void {
  dirty = false;
  document.dispatchEvent(new CustomEvent("hub:places"));
}

function addressOf(which: "stations" | "day"): string | undefined {
  return document.querySelector<HTMLElement>("hub-map")?.dataset[which];
}

/** Fetches the stations; false when the hub does not answer. A page about one station has it written in itself. */
export async function load(): Promise<boolean> {
  const address = addressOf("stations");
  if (!address) {
    take([...document.querySelectorAll<HTMLElement>("[data-station][data-lon]")].map(ofElement));
    return true;
  }
  try {
    askedAt = performance.now();
    const answer = await fetch(address, { headers: { accept: "application/json" }, signal: AbortSignal.timeout(20_000) });
    if (!answer.ok) return false;
    const said = (await answer.json()) as { towns: string[]; stations: (Omit<Place, "town" | "period" | "factor" | "end" | "stale"> & { town: number; period?: number; factor?: number; end?: number; stale?: number })[] };
    take(said.stations.map((one) => ({
      ...one, town: said.towns[one.town] ?? "", newest: one.newest, datastream: one.datastream, value: one.value, period: one.period ?? 0, factor: one.factor ?? 1, end: one.end ?? 0, stale: one.stale ?? 0,
    })));
    return true;
  } catch {
    return false;
  }
}

function ofElement(element: HTMLElement): Place {
  const newest = Date.parse(element.dataset.newest ?? "");
  return {
    id: element.dataset.station ?? "", name: element.dataset.name ?? "", town: element.dataset.municipalityName ?? "", at: [Number(element.dataset.lon), Number(element.dataset.lat)],
    status: element.dataset.status ?? "silent", newest: Number.isNaN(newest) ? undefined : newest, late: Number(element.dataset.staleAfter),
    datastream: undefined, period: 0, factor: 1, value: undefined, end: 0, stale: 0,
  };
}

function take(next: Place[]): void {
  places = next;
  const stand = places.map((place) => `${place.id} ${place.at.join(" ")}`).join("\n");
  if (stand !== where) changes++;
  where = stand;
  byId.clear();
  byDatastream.clear();
  for (const place of places) {
    byId.set(place.id, place);
    if (place.datastream !== undefined) byDatastream.set(place.datastream, place);
  }
  tell();
}

/** Fetches the last 24 hours, once for each time the slider is touched anew within a minute; false when the hub does not answer. */
export function loadDay(): Promise<boolean> {
  dayAsked ??= fetchDay().then((good) => {
    if (good) window.setTimeout(() => { dayAsked = undefined; }, 60_000);
    else dayAsked = undefined;
    return good;
  });
  return dayAsked;
}

async function fetchDay(): Promise<boolean> {
  const address = addressOf("day");
  if (!address) return false;
  try {
    const answer = await fetch(address, { headers: { accept: "application/json" }, signal: AbortSignal.timeout(30_000) });
    if (!answer.ok) return false;
    const before = at === undefined || !day ? undefined : day.from + at * day.step * 1000;
    const next = (await answer.json()) as Day;
    day = next;
    // Whoever looks at an hour keeps it, though the day has moved on.
    if (before !== undefined) at = Math.max(0, Math.min(next.count - 1, Math.round((before - next.from) / (next.step * 1000))));
    return true;
  } catch {
    return false;
  }
}

function heard(observation: LiveObservation): void {
  if (!page.equipment.includes(observation.property)) {
    const station = byId.get(observation.stationId);
    // Of datastreams that are not shown the period is unknown: then its start counts, which is never too young.
    if (station && !((station.newest ?? 0) >= observation.time)) {
      station.newest = observation.time;
      dirty = true;
    }
  }
  const place = byDatastream.get(observation.datastream);
  const end = observation.time + (place?.period ?? 0) * 1000;
  if (!place || place.end > end) return;
  place.value = observation.value * place.factor;
  place.end = end;
  if (!((place.newest ?? 0) >= end)) place.newest = end;
  dirty = true;
}

/** As ages.ts decides for what is written in the page; an alarm outranks age. */
function age(): void {
  const now = hubNow();
  for (const place of places) {
    if (place.status === "alarm") continue;
    const old = place.newest === undefined ? Infinity : now - place.newest;
    const status = old > 24 * 3600_000 ? "silent" : old > place.late * 1000 ? "stale" : "fresh";
    if (status !== place.status) {
      place.status = status;
      dirty = true;
    }
  }
}

let started: Promise<boolean> | undefined;

/** Follows the stations from now on; the same for whoever asks. False when they could not be fetched: ask {@link load} again. */
export function start(): Promise<boolean> {
  if (started) return started;
  document.addEventListener("hub:observation", (event) => heard((event as CustomEvent<LiveObservation>).detail));
  document.addEventListener("hub:refreshed", () => {
    shown = read();
    if (!addressOf("stations") || performance.now() - askedAt > askEvery) void load();
    else tell();
  });
  let round = 0;
  window.setInterval(() => {
    if (document.visibilityState === "hidden") return;
    age();
    // A value grows stale without an event: looked at now and then.
    if (dirty || ++round % 10 === 0) tell();
  }, showEvery);
  started = load();
  return started;
}
