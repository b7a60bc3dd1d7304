// Writes the dashboards of both languages, and beside the compiled source one file each that the compiler reads once more: what is on disk is checked against Grafana's published schema, not what was meant.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Board } from './panels.js';
import { speaker, type Language } from './language.js';
import { air } from './dashboards/air.js';
import { city } from './dashboards/city.js';
import { fleet } from './dashboards/fleet.js';
import { noise } from './dashboards/noise.js';
import { operations } from './dashboards/operations.js';
import { station } from './dashboards/station.js';
import { traffic } from './dashboards/traffic.js';

const here = dirname(fileURLToPath(import.meta.url));
const out = process.argv[2] ?? join(here, '../../dashboards');
const check = join(here, 'check');

rmSync(check, { recursive: true, force: true });
mkdirSync(check, { recursive: true });
for (const language of ['pt', 'en'] as const satisfies readonly Language[]) {
  const folder = join(out, language);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const [name, make] of Object.entries({ city, air, noise, traffic, station, fleet, operations })) {
    const file = join(folder, `${name}.json`);
    writeFileSync(file, `${JSON.stringify(make(new Board(language, speaker(language))), null, 2)}\n`);
    writeFileSync(join(check, `${language}-${name}.ts`), `import { published, type Dashboard } from '../../src/schema.js';\n\nconst written: Dashboard = ${readFileSync(file, 'utf8')};\n\npublished(written);\n`);
  }
}
