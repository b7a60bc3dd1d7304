import * as maplibre from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?url";
import "maplibre-gl/dist/maplibre-gl.css";
import { baseStyle } from "./basemap";
import { page, word } from "./page";

maplibre.setWorkerUrl(new URL(workerUrl, import.meta.url).href);

/** From this zoom on single stations are drawn; below it, one sign per municipality with the number of its stations. */
const stationZoom = 9.5;
/** Room for signs and their labels around what is shown. */
const framing = { padding: { top: 72, right: 64, bottom: 72, left: 64 }, maxZoom: 14 };
const rank: Record<string, number> = { alarm: 3, silent: 2, stale: 1, fresh: 0 };

interface Place {
  card: HTMLElement;
  id: string;
  municipality: string;
  at: [number, number];
}

/** A place on the map's frame, pixels from its upper left corner. */
interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** The map of the stations listed on the page: it reads the list and shows nothing that the list does not say. */
class HubMap extends HTMLElement {
  #map: maplibre.Map | undefined;
  #signs: maplibre.Marker[] = [];
  #popup: maplibre.Popup | undefined;
  #detailed: boolean | undefined;
  readonly #theme = matchMedia("(prefers-color-scheme: dark)");

  connectedCallback(): void {
    const frame = this.querySelector<HTMLElement>(".map-frame");
    const places = this.#places();
    if (!frame || places.length === 0) return;
    const bounds = this.#bounds(places);
    const names = [...new Set(places.map((place) => place.card.dataset.municipalityName ?? ""))];
    let map: maplibre.Map;
    try {
      map = new maplibre.Map({
        container: frame,
        style: baseStyle(page.assets, names),
        bounds,
        fitBoundsOptions: framing,
        attributionControl: false,
        dragRotate: false,
        pitchWithRotate: false,
        touchPitch: false,
        minZoom: 3,
        maxZoom: 17,
        maxBounds: [[-36, 28], [4, 46]],
        cooperativeGestures: matchMedia("(pointer: coarse)").matches,
        locale: {
          "NavigationControl.ZoomIn": word("map.in"),
          "NavigationControl.ZoomOut": word("map.out"),
          "Map.Title": word("map.title"),
          "Popup.Close": word("map.close"),
          "CooperativeGesturesHandler.MobileHelpText": word("map.fingers"),
          "CooperativeGesturesHandler.WindowsHelpText": word("map.ctrl"),
          "CooperativeGesturesHandler.MacHelpText": word("map.ctrl"),
        },
      });
    } catch {
      this.classList.add("failed");
      return;
    }
    map.touchZoomRotate.disableRotation();
    map.keyboard.disableRotation();
    map.addControl(new maplibre.NavigationControl({ showCompass: false }), "top-right");
    this.#map = map;
    this.classList.add("drawn");
    const all = this.querySelector<HTMLButtonElement>("[data-map-all]");
    if (all) {
      all.hidden = false;
      all.addEventListener("click", () => map.fitBounds(bounds, framing));
    }
    map.on("zoom", () => this.#sign(false));
    map.on("moveend", () => this.#arrange());
    map.on("resize", () => this.#arrange());
    this.#sign(true);
    document.addEventListener("hub:status", () => this.#sign(true));
    document.addEventListener("hub:refreshed", () => this.#sign(true));
    this.#theme.addEventListener("change", () => map.setStyle(baseStyle(page.assets, names)));
    document.documentElement.classList.add("map-ready");
    document.addEventListener("click", (event) => {
      const id = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-show-on-map]")?.dataset.showOnMap : undefined;
      const place = id === undefined ? undefined : this.#places().find((one) => one.id === id);
      if (!place) return;
      this.scrollIntoView({ block: "nearest", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
      map.jumpTo({ center: place.at, zoom: Math.max(map.getZoom(), 13) });
      this.#open(place);
    });
  }

  #places(): Place[] {
    const places: Place[] = [];
    for (const card of document.querySelectorAll<HTMLElement>("[data-station][data-lon]")) {
      places.push({
        card,
        id: card.dataset.station ?? "",
        municipality: card.dataset.municipality ?? "",
        at: [Number(card.dataset.lon), Number(card.dataset.lat)],
      });
    }
    return places;
  }

  #bounds(places: Place[]): maplibre.LngLatBounds {
    const bounds = new maplibre.LngLatBounds();
    for (const place of places) bounds.extend(place.at);
    if (places.length === 1 && places[0]) {
      const [lon, lat] = places[0].at;
      bounds.extend([lon - 0.012, lat - 0.009]).extend([lon + 0.012, lat + 0.009]);
    }
    return bounds;
  }

  #sign(anew: boolean): void {
    const map = this.#map;
    if (!map) return;
    const detailed = map.getZoom() >= stationZoom;
    if (!anew && detailed === this.#detailed) return;
    this.#detailed = detailed;
    for (const sign of this.#signs) sign.remove();
    const places = this.#places();
    this.#signs = detailed ? places.map((place) => this.#station(place, map)) : this.#municipalities(places, map);
    this.#arrange();
  }

  /** Puts each label where it is cut by no edge and hides no other sign: below, above or beside its own. Without such a place it shows only while its sign is pointed at. */
  #arrange(): void {
    const map = this.#map;
    if (!map) return;
    const frame = map.getContainer();
    const { left, top } = frame.getBoundingClientRect();
    const controls = [...this.querySelectorAll(".maplibregl-ctrl, [data-map-all]")].map((one) => one.getBoundingClientRect());
    const taken: Box[] = controls.map((one) => ({ x: one.x - left, y: one.y - top, width: one.width, height: one.height }));
    const signs = this.#signs.map((marker) => {
      const element = marker.getElement();
      const { x, y } = map.project(marker.getLngLat());
      const box = { x: x - element.offsetWidth / 2, y: y - element.offsetHeight / 2, width: element.offsetWidth, height: element.offsetHeight };
      taken.push(box);
      return { element, box };
    });
    // The gravest first: its label gets the best place.
    signs.sort((a, b) => (rank[b.element.dataset.status ?? ""] ?? 0) - (rank[a.element.dataset.status ?? ""] ?? 0));
    for (const { element, box } of signs) {
      const text = element.querySelector<HTMLElement>(".map-label");
      if (!text) continue;
      const [width, height] = [text.offsetWidth, text.offsetHeight];
      const [middleX, middleY] = [box.x + (box.width - width) / 2, box.y + (box.height - height) / 2];
      const sides: [string, Box][] = [
        ["below", { x: middleX, y: box.y + box.height + 1, width, height }],
        ["above", { x: middleX, y: box.y - height - 1, width, height }],
        ["right", { x: box.x + box.width + 1, y: middleY, width, height }],
        ["left", { x: box.x - width - 1, y: middleY, width, height }],
      ];
      const found = sides.find(([, place]) => isInside(place, frame.clientWidth, frame.clientHeight) && !taken.some((other) => other !== box && overlap(place, other)));
      text.dataset.side = found?.[0] ?? "none";
      if (found) taken.push(found[1]);
    }
  }

  #station(place: Place, map: maplibre.Map): maplibre.Marker {
    const status = place.card.dataset.status ?? "silent";
    const name = place.card.dataset.name ?? "";
    const button = sign(status);
    button.append(label(name), unseen(`, ${word(`status.${status}`)}`));
    button.addEventListener("click", (event) => {
      event.stopPropagation();
      this.#open(place);
    });
    return new maplibre.Marker({ element: button, anchor: "center" }).setLngLat(place.at).addTo(map);
  }

  #municipalities(places: Place[], map: maplibre.Map): maplibre.Marker[] {
    const groups = new Map<string, Place[]>();
    for (const place of places) groups.set(place.municipality, [...(groups.get(place.municipality) ?? []), place]);
    return [...groups.values()].map((group) => {
      const worst = group.map((place) => place.card.dataset.status ?? "silent").reduce((a, b) => ((rank[b] ?? 0) > (rank[a] ?? 0) ? b : a));
      const name = group[0]?.card.dataset.municipalityName ?? "";
      const count = document.createElement("span");
      count.className = "count";
      count.textContent = String(group.length);
      const button = sign(worst);
      button.classList.add("group");
      button.append(label(name), " ", count, unseen(` ${group.length === 1 ? word("map.station") : word("map.stations")}, ${word(`status.${worst}`)}`));
      button.addEventListener("click", () => map.fitBounds(this.#bounds(group), framing));
      const middle = this.#bounds(group).getCenter();
      return new maplibre.Marker({ element: button, anchor: "center" }).setLngLat(middle).addTo(map);
    });
  }

  #open(place: Place): void {
    const map = this.#map;
    const body = place.card;
    if (!map || !body.matches("[data-card]")) return;
    this.#popup?.remove();
    const copy = body.cloneNode(true) as HTMLElement;
    copy.querySelectorAll("[data-show-on-map]").forEach((button) => button.remove());
    // Without a place of its own the copy is not taken for one more station.
    copy.removeAttribute("data-lon");
    this.#popup = new maplibre.Popup({ offset: 18, maxWidth: "300px", focusAfterOpen: true }).setLngLat(place.at).setDOMContent(copy).addTo(map);
  }
}

function isInside(box: Box, width: number, height: number): boolean {
  return box.x >= 0 && box.y >= 0 && box.x + box.width <= width && box.y + box.height <= height;
}

function overlap(a: Box, b: Box): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

function sign(status: string): HTMLButtonElement {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "map-sign";
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

customElements.define("hub-map", HubMap);
