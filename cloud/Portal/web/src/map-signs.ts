import { word } from "./page";
import { classWord, drawn, paint, show, standing, unit, type Place } from "./places";

/** Stations that are one sign. */
export interface Group {
  count: number;
  /** Of the gravest of them. */
  rank: number;
  /** Municipality of all of them; empty when they are of several. */
  town: string;
  /** Whether it is all stations of that municipality. */
  whole: boolean;
}

/** A place on the map's frame, pixels from its upper left corner. */
export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

const statuses = ["fresh", "stale", "silent", "alarm"];

/** How grave what a station shows is: of how it stands 0 to 3, else its class; 0 without a value of now. */
export function rankOf(place: Place): number {
  if (show() === "") return Math.max(0, statuses.indexOf(place.status));
  const now = standing(place);
  return now.stale ? 0 : now.class;
}

/** The sign of one station on the map, with its name; of a quantity with its value. */
export function placeSign(place: Place): HTMLButtonElement {
  if (show() === "") {
    const button = statusSign(place.status, rankOf(place));
    button.append(label(place.name), unseen(`, ${word(`status.${place.status}`)}`));
    return button;
  }
  const now = drawn(place);
  const button = bare(rankOf(place));
  const isIndex = show() === "index";
  button.append(valueSign(now.class, now.stale, now.class === 0 ? "–" : isIndex ? String(now.class) : now.text));
  const said = now.class === 0 ? word("map.none") : isIndex ? now.text : `${now.text} ${unit()}`.trim();
  button.append(label(now.stale ? `${place.name} · ${word("map.old")}` : place.name), unseen(`, ${said}`));
  return button;
}

/** The sign of a group: the gravest of its stations, and how many they are. */
export function groupSign(group: Group): HTMLButtonElement {
  const count = document.createElement("span");
  count.className = "count";
  count.textContent = String(group.count);
  const isStatus = show() === "";
  const status = statuses[group.rank] ?? "fresh";
  const button = isStatus ? statusSign(status, group.rank) : bare(group.rank);
  if (!isStatus) button.append(valueSign(group.rank, false, group.rank === 0 ? "–" : String(group.rank)));
  button.classList.add("group");
  if (group.town) button.append(group.whole ? label(group.town) : unseen(group.town), " ");
  const gravest = isStatus ? word(`status.${status}`) : group.rank === 0 ? word("map.none") : classWord(group.rank);
  button.append(count, unseen(` ${group.count === 1 ? word("map.station") : word("map.stations")}, ${isStatus ? word("map.gravest.status", gravest) : word("map.gravest", gravest)}`));
  return button;
}

/** The sign of a station within text, with what it says in words. */
export function cardSign(place: Place): HTMLElement {
  const span = document.createElement("span");
  span.className = "map-said";
  if (show() === "") {
    span.dataset.status = place.status;
    span.innerHTML = `<svg class="sign" aria-hidden="true" viewBox="0 0 24 24"><use href="#sign-${place.status}"></use></svg>`;
    span.append(" ", word(`status.${place.status}`));
    return span;
  }
  const now = drawn(place);
  const text = now.class === 0 ? word("map.none") : show() === "index" ? now.text : `${now.text} ${unit()}`.trim();
  span.append(valueSign(now.class, now.stale, String(now.class || "–")), " ", now.stale ? `${text} · ${word("map.old")}` : text);
  return span;
}

function valueSign(of: number, stale: boolean, text: string): HTMLSpanElement {
  const span = document.createElement("span");
  span.className = `value-sign ${paint(of)}${stale ? " is-old" : ""}`;
  span.textContent = text;
  return span;
}

function bare(rank: number): HTMLButtonElement {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "map-sign";
  button.dataset.rank = String(rank);
  return button;
}

function statusSign(status: string, rank: number): HTMLButtonElement {
  const button = bare(rank);
  button.dataset.status = status;
  button.innerHTML = `<svg aria-hidden="true" viewBox="0 0 24 24"><use href="#sign-${status}"></use></svg>`;
  return button;
}

function unseen(text: string): HTMLSpanElement {
  const span = document.createElement("span");
  span.className = "visually-hidden";
  span.textContent = text;
  return span;
}

function label(text: string): HTMLSpanElement {
  const span = document.createElement("span");
  span.className = "map-label";
  span.textContent = text;
  return span;
}

export function isInside(box: Box, width: number, height: number): boolean {
  return box.x >= 0 && box.y >= 0 && box.x + box.width <= width && box.y + box.height <= height;
}

export function overlap(a: Box, b: Box): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}
