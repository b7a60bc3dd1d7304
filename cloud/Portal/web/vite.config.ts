import { brotliCompressSync, constants } from "node:zlib";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { defineConfig, type Plugin } from "vite";

const output = resolve(process.env.HUB_WEB_OUTPUT ?? "dist");

/** Carries the map's GeoJSON files over as they are, each its own file: their licences differ and forbid mixing. */
function carried(): Plugin {
  return {
    name: "hub-carried",
    closeBundle() {
      cpSync(resolve("../map"), join(output, "map"), { recursive: true });
      // What the licences of the bundled libraries ask to be passed on with them.
      cpSync(resolve("node_modules/maplibre-gl/LICENSE.txt"), join(output, "licences/maplibre-gl.txt"));
      cpSync(resolve("node_modules/uplot/LICENSE"), join(output, "licences/uplot.txt"));
      // The package of pmtiles carries no file of its licence.
      cpSync(resolve("licences/pmtiles.txt"), join(output, "licences/pmtiles.txt"));
      cpSync(resolve("node_modules/fflate/LICENSE"), join(output, "licences/fflate.txt"));
      cpSync(resolve("node_modules/qrcode/license"), join(output, "licences/qrcode.txt"));
    },
  };
}

/** Writes a brotli copy beside each text asset, once, at build time. */
function brotli(): Plugin {
  const walk = (folder: string): string[] =>
    readdirSync(folder).flatMap((name) => {
      const path = join(folder, name);
      return statSync(path).isDirectory() ? walk(path) : [path];
    });
  return {
    name: "hub-brotli",
    enforce: "post",
    closeBundle() {
      for (const path of walk(output)) {
        if (!/\.(js|mjs|css|svg|json|geojson)$/.test(path)) continue;
        const content = readFileSync(path);
        if (content.length < 1024) continue;
        const quality = content.length > 300_000 ? 9 : 11;
        writeFileSync(`${path}.br`, brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: quality } }));
      }
    },
  };
}

rmSync(output, { recursive: true, force: true });
mkdirSync(output, { recursive: true });

export default defineConfig({
  base: "./",
  logLevel: "warn",
  publicDir: "public",
  plugins: [carried(), brotli()],
  build: {
    outDir: output,
    emptyOutDir: false,
    assetsDir: "files",
    manifest: "manifest.json",
    modulePreload: false,
    sourcemap: false,
    assetsInlineLimit: 0,
    target: "es2022",
    chunkSizeWarningLimit: 1600,
    rollupOptions: {
      input: { portal: "src/portal.ts", map: "src/map.ts", city: "src/city.ts", chart: "src/chart.ts", topics: "src/topics.ts", wall: "src/wall.ts", fleet: "src/fleet.ts", qr: "src/qr.ts" },
    },
  },
});
