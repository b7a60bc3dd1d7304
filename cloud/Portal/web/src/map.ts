import * as maplibre from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?url";
import "maplibre-gl/dist/maplibre-gl.css";
import { baseStyle, showNearTowns } from "./basemap";
import { cardSign, groupSign, isInside, overlap, placeSign, rankOf, type Box, type Group } from "./map-signs";
import { openOwn, own } from "./map-own";
import { hubNow, page, word } from "./page";
import { all, drawn, find, show, start, version, type Place } from "./places";

maplibre.setWorkerUrl(new URL(workerUrl, import.meta.url).href);

/** Room for signs and their labels around what is shown. */
const framing = { padding: { top: 72, right: 64, bottom: 72, left: 64 }, maxZoom: 14 };
const zoomMax = 17;
/** Stations nearer than this on the screen are one sign, pixels. */
const groupWithin = 46;
/** Names in the window of stations that stand in one place. */
const namedMax = 20;
const stations = "hub-stations";

interface Shown {
  marker: maplibre.Marker;
  /** What it was written from: written anew only when this changes. */
  written: string;
}

/**
 * The map of the stations. Their grouping is MapLibre's, in its worker, from one source of data; what stands in the window of the map, never more than some hundred signs, is drawn as elements of
 * the page, so that they have the page's colours, names and focus.
 */
class HubMap extends HTMLElement {
  #map: maplibre.Map | undefined;
  readonly #signs = new Map<string, Shown>();
  #popup: maplibre.Popup | undefined;
  #data = "";
  #drawTimer = 0;
  #moved = true;
  /** Whether it is known what the operator's own map is. */
  #ready = false;
  readonly #theme = matchMedia("(prefers-color-scheme: dark)");

  connectedCallback(): void {
    document.addEventListener("hub:places", () => this.#follow());
    // Whoever was here first has had the news already.
    void openOwn(maplibre, this).then(async (good) => {
      const failed = this.querySelector<HTMLElement>("[data-own-failed]");
      if (failed) failed.hidden = good;
      this.#ready = true;
      await start();
      this.#follow();
    });
  }

  /** The stations have come, or something of them has changed. */
  #follow(): void {
    if (!this.#map && this.#ready && !this.classList.contains("failed") && all().length > 0) this.#begin();
    const map = this.#map;
    if (!map) return;
    // Numbers on signs change every second; the groups only when a class does.
    const next = `${version()} ${all().map(rankOf).join("")}`;
    const source = map.getSource<maplibre.GeoJSONSource>(stations);
    if (source && next !== this.#data) {
      this.#data = next;
      void source.setData(this.#features());
    }
    this.#draw();
  }

  #begin(): void {
    const frame = this.querySelector<HTMLElement>(".map-frame");
    if (!frame) return;
    const bounds = boundsOf(all());
    let map: maplibre.Map;
    try {
      map = new maplibre.Map({
        container: frame,
        style: this.#style(),
        bounds,
        fitBoundsOptions: framing,
        attributionControl: false,
        dragRotate: false,
        pitchWithRotate: false,
        touchPitch: false,
        minZoom: 3,
        maxZoom: zoomMax,
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
    const every = this.querySelector<HTMLButtonElement>("[data-map-all]");
    if (every) {
      every.hidden = false;
      every.addEventListener("click", () => map.fitBounds(boundsOf(all()), framing));
    }
    map.on("move", () => this.#drawSoon());
    map.on("moveend", () => {
      this.#moved = true;
      showNearTowns(map, page.assets);
      this.#drawSoon();
    });
    map.on("resize", () => {
      this.#moved = true;
      this.#drawSoon();
    });
    map.on("sourcedata", (event) => {
      if (event.sourceId === stations && event.isSourceLoaded) this.#drawSoon();
    });
    map.on("load", () => showNearTowns(map, page.assets));
    this.#theme.addEventListener("change", () => map.setStyle(this.#style(), { diff: false }));
    document.documentElement.classList.add("map-ready");
    document.addEventListener("click", (event) => {
      const id = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-show-on-map]")?.dataset.showOnMap : undefined;
      const place = id === undefined ? undefined : find(id);
      if (!place) return;
      this.scrollIntoView({ block: "nearest", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
      map.jumpTo({ center: place.at, zoom: Math.max(map.getZoom(), 14) });
      this.#open(place);
    });
  }

  #style(): maplibre.StyleSpecification {
    const style = baseStyle(page.assets, [...new Set(all().map((place) => place.town))]);
    const theirs = own(this);
    Object.assign(style.sources, theirs.sources);
    if (theirs.named) style.layers = style.layers.filter((layer) => layer.type !== "symbol");
    style.layers.push(...theirs.layers, ...theirs.above);
    style.sources[stations] = {
      type: "geojson", data: this.#features(), cluster: true, clusterRadius: groupWithin, clusterMaxZoom: zoomMax, maxzoom: zoomMax + 1,
      clusterProperties: { rank: ["max", ["get", "rank"]], first: ["min", ["get", "town"]], last: ["max", ["get", "town"]] },
    };
    // Nothing of it is seen: it makes the worker hold the groups of what is in the window.
    style.layers.push({ id: stations, type: "circle", source: stations, paint: { "circle-opacity": 0, "circle-radius": 1 } });
    return style;
  }

  #features(): { type: "FeatureCollection"; features: { type: "Feature"; geometry: { type: "Point"; coordinates: [number, number] }; properties: { index: number; rank: number; town: number } }[] } {
    const towns = [...new Set(all().map((place) => place.town))];
    const numbers = new Map(towns.map((town, index) => [town, index]));
    return {
      type: "FeatureCollection",
      features: all().map((place, index) => ({
        type: "Feature", geometry: { type: "Point", coordinates: place.at }, properties: { index, rank: rankOf(place), town: numbers.get(place.town) ?? 0 },
      })),
    };
  }

  #drawSoon(): void {
    if (this.#drawTimer) return;
    this.#drawTimer = window.setTimeout(() => {
      this.#drawTimer = 0;
      this.#draw();
    }, 80);
  }

  /** Brings the signs in line with the groups and stations in the window, and their words with what is known. */
  #draw(): void {
    const map = this.#map;
    if (!map?.getSource(stations) || !map.isSourceLoaded(stations)) return;
    const towns = new Map<string, number>();
    for (const place of all()) towns.set(place.town, (towns.get(place.town) ?? 0) + 1);
    const names = [...towns.keys()];
    const seen = new Set<string>();
    const view = map.getBounds();
    let changed = false;
    for (const feature of map.querySourceFeatures(stations)) {
      const of = feature.properties as { cluster?: boolean; cluster_id?: number; point_count?: number; rank: number; first?: number; last?: number; index?: number };
      const at = (feature.geometry as unknown as { coordinates: [number, number] }).coordinates;
      const place = of.cluster ? undefined : all()[of.index ?? -1];
      if (!of.cluster && !place) continue;
      const where = place?.at ?? at;
      const key = place ? place.id : `group ${of.cluster_id}`;
      if (seen.has(key) || !view.contains(where)) continue;
      seen.add(key);
      const group: Group | undefined = of.cluster ? { count: of.point_count ?? 0, rank: of.rank, town: of.first === of.last ? (names[of.first ?? -1] ?? "") : "", whole: false } : undefined;
      // Of a group that is only a part of a municipality the name would be no name.
      if (group) group.whole = group.town !== "" && group.count === towns.get(group.town);
      changed = this.#show(map, key, where, place ?? group!, of.cluster_id) || changed;
    }
    for (const [key, sign] of this.#signs) {
      if (seen.has(key)) continue;
      // Whoever was on a sign that has opened is on the map, not nowhere.
      if (sign.marker.getElement().contains(document.activeElement)) map.getCanvas().focus();
      sign.marker.remove();
      this.#signs.delete(key);
      changed = true;
    }
    // While the map moves labels stay on their side; once it stands they are put where there is room.
    if (map.isMoving()) this.#moved = true;
    else if (changed || this.#moved) {
      this.#moved = false;
      this.#arrange();
    }
  }

  /** One sign; true when it is new or looks different. */
  #show(map: maplibre.Map, key: string, at: [number, number], of: Place | Group, cluster: number | undefined): boolean {
    const written = "count" in of ? `${of.count} ${of.rank} ${of.town} ${of.whole}` : `${of.status} ${JSON.stringify(show() === "" ? "" : drawn(of))}`;
    const held = this.#signs.get(key);
    if (held?.written === written) return false;
    const button = "count" in of ? groupSign(of) : placeSign(of);
    if (held) {
      // The element stays, and with it the focus.
      const element = held.marker.getElement();
      const kept = [...element.classList].filter((one) => one.startsWith("maplibregl-"));
      element.className = [button.className, ...kept].join(" ");
      for (const name of ["status", "rank"]) element.dataset[name] = button.dataset[name] ?? "";
      element.replaceChildren(...button.childNodes);
      held.written = written;
      return true;
    }
    button.addEventListener("click", (event) => {
      event.stopPropagation();
      if (cluster === undefined) {
        const place = find(key);
        if (place) this.#open(place);
      } else {
        void this.#enter(map, cluster, at);
      }
    });
    this.#signs.set(key, { marker: new maplibre.Marker({ element: button, anchor: "center" }).setLngLat(at).addTo(map), written });
    return true;
  }

  /** Goes nearer until a group opens; one that never does, because its stations stand in one place, names them. */
  async #enter(map: maplibre.Map, cluster: number, at: [number, number]): Promise<void> {
    const source = map.getSource<maplibre.GeoJSONSource>(stations);
    if (!source) return;
    const zoom = await source.getClusterExpansionZoom(cluster);
    if (zoom <= zoomMax) {
      map.easeTo({ center: at, zoom: Math.max(zoom, map.getZoom() + 0.5) });
      return;
    }
    const leaves = await source.getClusterLeaves(cluster, namedMax + 1, 0);
    const list = document.createElement("ul");
    for (const leaf of leaves.slice(0, namedMax)) {
      const place = all()[(leaf.properties as { index: number }).index];
      if (!place) continue;
      const item = document.createElement("li");
      item.append(cardSign(place), " ", link(place));
      list.append(item);
    }
    if (leaves.length > namedMax) list.append(Object.assign(document.createElement("li"), { textContent: "…" }));
    this.#window(at, list, "map-names");
  }

  /** Puts each label where it is cut by no edge and hides no other sign: below, above or beside its own. Without such a place it shows only while its sign is pointed at. */
  #arrange(): void {
    const map = this.#map;
    if (!map) return;
    const frame = map.getContainer();
    const { left, top } = frame.getBoundingClientRect();
    const controls = [...this.querySelectorAll(".maplibregl-ctrl, [data-map-all]")].map((one) => one.getBoundingClientRect());
    const taken: Box[] = controls.map((one) => ({ x: one.x - left, y: one.y - top, width: one.width, height: one.height }));
    const signs = [...this.#signs.values()].map(({ marker }) => {
      const element = marker.getElement();
      const { x, y } = map.project(marker.getLngLat());
      const box = { x: x - element.offsetWidth / 2, y: y - element.offsetHeight / 2, width: element.offsetWidth, height: element.offsetHeight };
      taken.push(box);
      return { element, box };
    });
    // The gravest first: its label gets the best place.
    signs.sort((a, b) => Number(b.element.dataset.rank ?? 0) - Number(a.element.dataset.rank ?? 0));
    const measured = signs.map(({ element }) => {
      const text = element.querySelector<HTMLElement>(".map-label");
      return text ? { text, width: text.offsetWidth, height: text.offsetHeight } : undefined;
    });
    signs.forEach(({ box }, index) => {
      const label = measured[index];
      if (!label) return;
      const { text, width, height } = label;
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
    });
  }

  #open(place: Place): void {
    const card = document.querySelector<HTMLElement>(`[data-card][data-station="${CSS.escape(place.id)}"]`);
    if (card) {
      const copy = card.cloneNode(true) as HTMLElement;
      copy.querySelectorAll("[data-show-on-map]").forEach((button) => button.remove());
      this.#window(place.at, copy);
      return;
    }
    // On a page about the station itself there is nothing more to say.
    if (!this.dataset.stations) return;
    const box = document.createElement("div");
    box.className = "card";
    const name = document.createElement("h3");
    name.append(link(place));
    const newest = document.createElement("p");
    newest.className = "muted small";
    newest.textContent = place.newest === undefined || place.newest > hubNow() ? place.town : `${place.town}, ${new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "short", timeStyle: "short" }).format(place.newest)}`;
    const state = document.createElement("p");
    state.append(cardSign(place));
    box.append(newest, name, state);
    this.#window(place.at, box);
  }

  #window(at: [number, number], content: HTMLElement, name = ""): void {
    const map = this.#map;
    if (!map) return;
    this.#popup?.remove();
    this.#popup = new maplibre.Popup({ offset: 18, maxWidth: "300px", focusAfterOpen: true, ...(name ? { className: name } : {}) }).setLngLat(at).setDOMContent(content).addTo(map);
  }
}

function boundsOf(places: readonly Place[]): maplibre.LngLatBounds {
  const bounds = new maplibre.LngLatBounds();
  for (const place of places) bounds.extend(place.at);
  if (places.length === 1 && places[0]) {
    const [lon, lat] = places[0].at;
    bounds.extend([lon - 0.012, lat - 0.009]).extend([lon + 0.012, lat + 0.009]);
  }
  return bounds;
}

function link(place: Place): HTMLAnchorElement {
  const anchor = document.createElement("a");
  anchor.href = `/stations/${place.id}`;
  anchor.textContent = place.name;
  return anchor;
}

customElements.define("hub-map", HubMap);
