import type { GeoJSONSource, Map as LibreMap, StyleSpecification } from "maplibre-gl";

const token = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** Towns whose streets are carried with the hub: whether they have areas (water, green, built-up), and how far the streets reach, west, south, east, north. */
const towns: { slug: string; areas: boolean; reach: [number, number, number, number] }[] = [
  { slug: "braga", areas: false, reach: [-8.456, 41.524, -8.383, 41.588] },
  { slug: "aveiro", areas: true, reach: [-8.696, 40.526, -8.502, 40.723] },
  { slug: "guarda", areas: false, reach: [-7.443, 40.367, -7.038, 40.705] },
];

/** Municipalities whose outline is drawn finer than the others'. */
const outlined = ["braga", "aveiro", "evora", "guarda"];

/** Below this zoom no street is drawn. */
const streetZoom = 9.5;

/** Files that have been asked for: the browser keeps them, and a style written anew has them at once. */
const near = new Set<string>();

const nothing = { type: "FeatureCollection" as const, features: [] };

/** Fetches the streets of towns that the map has come near to: nobody pays for the towns she does not look at. */
export function showNearTowns(map: LibreMap, assets: string): void {
  if (map.getZoom() < streetZoom - 0.5) return;
  const view = map.getBounds();
  for (const town of towns) {
    const [west, south, east, north] = town.reach;
    if (near.has(town.slug) || view.getWest() > east || view.getEast() < west || view.getSouth() > north || view.getNorth() < south) continue;
    near.add(town.slug);
    for (const kind of town.areas ? ["areas", "roads"] : ["roads"]) {
      void map.getSource<GeoJSONSource>(`${town.slug}-${kind}`)?.setData(fileOf(assets, `${town.slug}/${kind}`));
    }
  }
}

function fileOf(assets: string, path: string): string {
  return new URL(`${assets}map/${path}.geojson`, document.baseURI).href;
}

/**
 * The base map in the page's colours, from files of the hub itself. It names no glyphs: MapLibre then draws labels with the visitor's own fonts.
 * Towns named in `signed` have a sign with their name on the map and get no second label.
 */
export function baseStyle(assets: string, signed: string[]): StyleSpecification {
  const source = (path: string) => ({ type: "geojson" as const, data: fileOf(assets, path) });
  const lazy = (town: string, path: string) => (near.has(town) ? source(`${town}/${path}`) : { type: "geojson" as const, data: nothing });
  const font = ["system-ui, sans-serif"];
  const style: StyleSpecification = {
    version: 8,
    sources: {
      countries: source("portugal/countries"),
      municipalities: source("portugal/municipalities"),
      names: source("portugal/municipality-labels"),
      lakes: source("portugal/lakes"),
      rivers: source("portugal/rivers"),
      roads: source("portugal/roads"),
      railways: source("portugal/railways"),
      places: source("portugal/places"),
    },
    layers: [
      { id: "sea", type: "background", paint: { "background-color": token("--map-sea") } },
      { id: "abroad", type: "fill", source: "countries", filter: ["!=", ["get", "name"], "Portugal"], paint: { "fill-color": token("--map-abroad") } },
      { id: "land", type: "fill", source: "municipalities", paint: { "fill-color": token("--map-land") } },
      { id: "limits", type: "line", source: "municipalities", paint: { "line-color": token("--map-limit"), "line-width": ["interpolate", ["linear"], ["zoom"], 5, 0.3, 10, 1.2] } },
      { id: "lakes", type: "fill", source: "lakes", paint: { "fill-color": token("--map-sea") } },
      { id: "rivers", type: "line", source: "rivers", maxzoom: 12.5, paint: { "line-color": token("--map-water"), "line-width": ["interpolate", ["linear"], ["zoom"], 5, 0.5, 11, 2] } },
      { id: "railways", type: "line", source: "railways", minzoom: 7.5, maxzoom: 12, paint: { "line-color": token("--map-rail"), "line-width": 0.8, "line-dasharray": [4, 3] } },
      { id: "roads", type: "line", source: "roads", maxzoom: 12, paint: { "line-color": token("--map-road"), "line-width": ["interpolate", ["linear"], ["zoom"], 5, 0.6, 11, 2.2] } },
    ],
  };
  for (const town of towns) {
    if (town.areas) {
      style.sources[`${town.slug}-areas`] = lazy(town.slug, "areas");
      style.layers.push({
        id: `${town.slug}-areas`, type: "fill", source: `${town.slug}-areas`, minzoom: 11,
        filter: ["match", ["get", "kind"], ["water", "wetland", "salt_pond", "basin", "park", "grass", "forest", "wood", "meadow", "scrub", "garden", "pitch", "recreation_ground"], true, false],
        paint: {
          "fill-color": ["match", ["get", "kind"], ["water", "wetland", "salt_pond", "basin"], token("--map-water-area"), token("--map-green")],
          "fill-opacity": 0.8,
        },
      });
    }
    style.sources[`${town.slug}-roads`] = lazy(town.slug, "roads");
    const main = ["match", ["get", "highway"], ["motorway", "trunk", "primary", "motorway_link", "trunk_link", "primary_link"], true, false] as const;
    const street = ["match", ["get", "highway"], ["secondary", "tertiary", "secondary_link", "tertiary_link"], true, false] as const;
    style.layers.push(
      {
        id: `${town.slug}-minor`, type: "line", source: `${town.slug}-roads`, minzoom: 12,
        filter: ["all", ["!", [...main]], ["!", [...street]], ["!", ["match", ["get", "highway"], ["track", "service", "steps"], true, false]]] as never,
        layout: { "line-cap": "round", "line-join": "round" },
        paint: { "line-color": token("--map-street"), "line-width": ["interpolate", ["exponential", 1.6], ["zoom"], 12, 0.6, 16, 7] },
      },
      {
        id: `${town.slug}-service`, type: "line", source: `${town.slug}-roads`, minzoom: 14.5,
        filter: ["match", ["get", "highway"], ["track", "service", "steps"], true, false],
        paint: { "line-color": token("--map-street"), "line-width": ["interpolate", ["exponential", 1.6], ["zoom"], 14, 0.5, 17, 4] },
      },
      {
        id: `${town.slug}-streets`, type: "line", source: `${town.slug}-roads`, minzoom: 10,
        filter: [...street] as never, layout: { "line-cap": "round", "line-join": "round" },
        paint: { "line-color": token("--map-street-main"), "line-width": ["interpolate", ["exponential", 1.6], ["zoom"], 10, 0.5, 16, 9] },
      },
      {
        id: `${town.slug}-main`, type: "line", source: `${town.slug}-roads`, minzoom: 9.5,
        filter: [...main] as never, layout: { "line-cap": "round", "line-join": "round" },
        paint: { "line-color": token("--map-road"), "line-width": ["interpolate", ["exponential", 1.6], ["zoom"], 9.5, 0.8, 16, 10] },
      },
      {
        id: `${town.slug}-names`, type: "symbol", source: `${town.slug}-roads`, minzoom: 14.5, filter: ["has", "name"],
        layout: { "symbol-placement": "line", "text-field": ["get", "name"], "text-font": font, "text-size": 11, "text-max-angle": 30, "symbol-spacing": 350 },
        paint: { "text-color": token("--map-text"), "text-halo-color": token("--map-halo"), "text-halo-width": 1.5 },
      },
    );
  }
  for (const slug of outlined) {
    style.sources[`${slug}-boundary`] = source(`${slug}/boundary`);
    style.layers.push({
      id: `${slug}-boundary`, type: "line", source: `${slug}-boundary`, minzoom: 6,
      paint: { "line-color": token("--accent"), "line-opacity": 0.65, "line-width": ["interpolate", ["linear"], ["zoom"], 6, 0.8, 12, 2] },
    });
  }
  style.layers.push(
    {
      id: "places", type: "symbol", source: "places", maxzoom: 9, filter: ["!=", ["get", "country"], "Portugal"],
      layout: { "text-field": ["get", "name"], "text-font": font, "text-size": 11, "symbol-sort-key": ["-", 0, ["coalesce", ["get", "population"], 0]] },
      paint: { "text-color": token("--map-text-far"), "text-halo-color": token("--map-halo"), "text-halo-width": 1.2 },
    },
    {
      id: "towns", type: "symbol", source: "places", maxzoom: 8.5,
      filter: ["all", ["==", ["get", "country"], "Portugal"], ["!", ["in", ["get", "name"], ["literal", signed]]]],
      layout: {
        "text-field": ["get", "name"], "text-font": font, "text-padding": 6,
        "text-size": ["interpolate", ["linear"], ["zoom"], 5, 11, 8, 13],
        "symbol-sort-key": ["-", 0, ["coalesce", ["get", "population"], 0]],
      },
      paint: { "text-color": token("--map-text"), "text-halo-color": token("--map-halo"), "text-halo-width": 1.4 },
    },
    {
      id: "names", type: "symbol", source: "names", minzoom: 8.5, maxzoom: 12,
      layout: { "text-field": ["get", "name"], "text-font": font, "text-size": 12, "text-padding": 8, "text-letter-spacing": 0.03 },
      paint: { "text-color": token("--map-text"), "text-halo-color": token("--map-halo"), "text-halo-width": 1.4 },
    },
  );
  return style;
}
