import type * as maplibre from "maplibre-gl";

/** The operator's own map, ready for a style. */
export interface Own {
  sources: Record<string, maplibre.SourceSpecification>;
  /** Over the hub's own map. */
  layers: maplibre.LayerSpecification[];
  /** Over everything but the stations. */
  above: maplibre.LayerSpecification[];
  /** Whether it has names of its own: then the hub's give way. */
  named: boolean;
}

const token = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** What an archive is: read once, its colours are of the page's theme. */
interface Archive {
  url: string;
  /** MVT, or images. */
  vector: boolean;
  maxZoom: number;
  /** Names of its layers, where it tells them. */
  layers: string[];
}

type Ring = [number, number][];

interface Areas {
  type: "FeatureCollection";
  features: { type: "Feature"; properties: Record<string, unknown> | null; geometry: { type: string; coordinates: unknown } }[];
}

let archive: Archive | undefined;
let areas: { outlines: Areas; names: Areas } | undefined;

/** Fetches what the page names of an own map; false when something of it does not come. */
export async function openOwn(library: typeof maplibre, element: HTMLElement): Promise<boolean> {
  const good = await Promise.all([openArchive(library, element), openAreas(element)]);
  return good.every(Boolean);
}

/** Areas get one name each, in the middle of the largest piece: left to the tiles of the map each tile would have one. */
async function openAreas(element: HTMLElement): Promise<boolean> {
  const { boundary, boundaryName } = element.dataset;
  if (!boundary) return true;
  try {
    const answer = await fetch(boundary, { signal: AbortSignal.timeout(30_000) });
    if (!answer.ok) return false;
    const outlines = (await answer.json()) as Areas;
    const features = outlines.features.flatMap((one) => {
      const name = one.properties?.[boundaryName ?? "name"];
      const middle = middleOf(one.geometry);
      return middle && name !== undefined && name !== null ? [{ type: "Feature" as const, properties: { name: String(name) }, geometry: { type: "Point", coordinates: middle } }] : [];
    });
    areas = { outlines, names: { type: "FeatureCollection", features } };
    return true;
  } catch {
    return false;
  }
}

/** Centre of the largest ring, by the area that it encloses; of lines there is none. */
function middleOf(geometry: { type: string; coordinates: unknown }): [number, number] | undefined {
  const rings = geometry.type === "Polygon" ? [(geometry.coordinates as Ring[])[0]] : geometry.type === "MultiPolygon" ? (geometry.coordinates as Ring[][]).map((one) => one[0]) : [];
  let best: { area: number; at: [number, number] } | undefined;
  for (const ring of rings) {
    if (!ring) continue;
    let [area, x, y] = [0, 0, 0];
    ring.forEach(([x1, y1], index) => {
      const [x2, y2] = ring[(index + 1) % ring.length] ?? [x1, y1];
      const cross = x1 * y2 - x2 * y1;
      area += cross;
      x += (x1 + x2) * cross;
      y += (y1 + y2) * cross;
    });
    if (area !== 0 && (!best || Math.abs(area) > best.area)) best = { area: Math.abs(area), at: [x / (3 * area), y / (3 * area)] };
  }
  return best?.at;
}

/** Looks into the archive that the page names. The program that reads it is only fetched when there is one. */
async function openArchive(library: typeof maplibre, element: HTMLElement): Promise<boolean> {
  const address = element.dataset.archive;
  if (!address) return true;
  try {
    const { PMTiles, Protocol, TileType } = await import("pmtiles");
    const url = new URL(address, document.baseURI).href;
    const file = new PMTiles(url);
    const header = await file.getHeader();
    const told = (await file.getMetadata()) as { vector_layers?: { id: string }[] } | undefined;
    const protocol = new Protocol();
    protocol.add(file);
    library.addProtocol("pmtiles", protocol.tile);
    archive = { url: `pmtiles://${url}`, vector: header.tileType === TileType.Mvt, maxZoom: header.maxZoom, layers: (told?.vector_layers ?? []).map((one) => one.id) };
    return true;
  } catch {
    return false;
  }
}

/** Sources and layers of everything that the page names, in the page's colours. */
export function own(element: HTMLElement): Own {
  const result: Own = { sources: {}, layers: [], above: [], named: false };
  const { tiles, tilesZoom, tilesSize } = element.dataset;
  if (tiles) {
    result.sources["own-tiles"] = { type: "raster", tiles: [tiles], tileSize: Number(tilesSize), maxzoom: Number(tilesZoom) };
    result.layers.push({ id: "own-tiles", type: "raster", source: "own-tiles" });
  }
  if (archive && !archive.vector) {
    result.sources["own-archive"] = { type: "raster", url: archive.url, tileSize: 256, maxzoom: archive.maxZoom };
    result.layers.push({ id: "own-archive", type: "raster", source: "own-archive" });
  } else if (archive) {
    result.sources["own-archive"] = { type: "vector", url: archive.url };
    const all = archive.layers.includes("transportation") ? openMapTiles() : protomaps();
    const known = new Set(archive.layers);
    result.layers.push(...all.filter((layer) => known.size === 0 || ("source-layer" in layer && known.has(layer["source-layer"] ?? ""))));
    result.named = true;
  }
  if (areas) {
    result.sources["own-boundary"] = { type: "geojson", data: areas.outlines as never };
    result.sources["own-names"] = { type: "geojson", data: areas.names as never };
    result.above.push(
      { id: "own-boundary", type: "line", source: "own-boundary", layout: { "line-join": "round" }, paint: { "line-color": token("--accent"), "line-width": ["interpolate", ["linear"], ["zoom"], 7, 0.8, 14, 2.2], "line-dasharray": [3, 1.5] } },
      {
        id: "own-boundary-names", type: "symbol", source: "own-names", minzoom: 10,
        layout: { "text-field": ["get", "name"], "text-font": ["system-ui, sans-serif"], "text-size": 12, "text-padding": 6, "text-max-width": 8 },
        paint: { "text-color": token("--accent"), "text-halo-color": token("--map-halo"), "text-halo-width": 1.5 },
      },
    );
  }
  return result;
}

const among = (property: string, values: string[]): maplibre.ExpressionSpecification => ["match", ["get", property], values, true, false] as unknown as maplibre.ExpressionSpecification;

function fill(id: string, layer: string, color: string, filter?: maplibre.ExpressionSpecification, minzoom = 0): maplibre.LayerSpecification {
  return { id: `own-${id}`, type: "fill", source: "own-archive", "source-layer": layer, minzoom, ...(filter ? { filter } : {}), paint: { "fill-color": token(color) } };
}

function line(id: string, layer: string, color: string, widths: [number, number, number, number], filter?: maplibre.ExpressionSpecification, minzoom = 0): maplibre.LayerSpecification {
  return {
    id: `own-${id}`, type: "line", source: "own-archive", "source-layer": layer, minzoom, ...(filter ? { filter } : {}), layout: { "line-cap": "round", "line-join": "round" },
    paint: { "line-color": token(color), "line-width": ["interpolate", ["exponential", 1.6], ["zoom"], ...widths] as unknown as maplibre.ExpressionSpecification },
  };
}

function names(id: string, layer: string, along: boolean, minzoom: number, filter?: maplibre.ExpressionSpecification): maplibre.LayerSpecification {
  return {
    id: `own-${id}`, type: "symbol", source: "own-archive", "source-layer": layer, minzoom, filter: filter ?? ["has", "name"],
    layout: { "text-field": ["get", "name"], "text-font": ["system-ui, sans-serif"], "text-size": along ? 11 : 12, ...(along ? { "symbol-placement": "line" as const, "text-max-angle": 30, "symbol-spacing": 350 } : { "text-padding": 6 }) },
    paint: { "text-color": token("--map-text"), "text-halo-color": token("--map-halo"), "text-halo-width": 1.4 },
  };
}

/** Layers of Protomaps' basemaps (docs.protomaps.com/basemaps/layers), version 4 of their names, with those of version 3 where they differ. */
function protomaps(): maplibre.LayerSpecification[] {
  const minor = among("kind", ["minor_road", "other"]);
  const medium = among("kind", ["medium_road"]);
  const major = among("kind", ["major_road", "highway"]);
  return [
    fill("earth", "earth", "--map-land"),
    fill("green", "landuse", "--map-green", among("kind", ["park", "nature_reserve", "forest", "wood", "grass", "garden", "meadow", "scrub", "golf_course", "pitch", "recreation_ground", "cemetery", "protected_area", "national_park", "village_green"])),
    fill("water", "water", "--map-sea"),
    fill("buildings", "buildings", "--map-limit", undefined, 14),
    line("minor", "roads", "--map-street", [12, 0.6, 17, 9], minor, 12),
    line("medium", "roads", "--map-street-main", [9, 0.5, 17, 12], medium, 9),
    line("major", "roads", "--map-road", [6, 0.5, 17, 14], major),
    line("rail", "roads", "--map-rail", [10, 0.5, 17, 2], among("kind", ["rail"]), 10),
    line("limits", "boundaries", "--map-limit", [4, 0.5, 12, 1.6]),
    names("road-names", "roads", true, 14),
    names("place-names", "places", false, 0),
  ];
}

/** Layers of OpenMapTiles (openmaptiles.org/schema). */
function openMapTiles(): maplibre.LayerSpecification[] {
  const minor = among("class", ["minor", "service", "track", "path"]);
  const medium = among("class", ["secondary", "tertiary"]);
  const major = among("class", ["motorway", "trunk", "primary"]);
  return [
    fill("green", "landcover", "--map-green", among("class", ["grass", "wood", "farmland"])),
    fill("park", "park", "--map-green"),
    fill("water", "water", "--map-sea"),
    line("waterway", "waterway", "--map-water", [8, 0.5, 14, 2.5]),
    fill("buildings", "building", "--map-limit", undefined, 14),
    line("minor", "transportation", "--map-street", [12, 0.6, 17, 9], minor, 12),
    line("medium", "transportation", "--map-street-main", [9, 0.5, 17, 12], medium, 9),
    line("major", "transportation", "--map-road", [6, 0.5, 17, 14], major),
    line("rail", "transportation", "--map-rail", [10, 0.5, 17, 2], among("class", ["rail"]), 10),
    line("limits", "boundary", "--map-limit", [4, 0.5, 12, 1.6]),
    names("road-names", "transportation_name", true, 14),
    names("place-names", "place", false, 0),
  ];
}
