// Limits of the law and classes of the index, as ../../../cloud/Indicators has them (bands of 2024), for colours and lines.
import type { Field } from './schema.js';
import type { Text } from './language.js';

type Thresholds = NonNullable<Field<object>['thresholds']>;

export type Mapping = NonNullable<Field<object>['mappings']>[number];

// Colour-blind safe: from blue over yellow to dark purple, never red against green.
export const classColours = ['#3b8bc4', '#7fc8d8', '#f2d64b', '#f09a3e', '#c8452f', '#6b2355'] as const;

const neutral = '#3b8bc4';
const reached = '#f09a3e';
const exceeded = '#c8452f';

export const steps = (...levels: readonly (readonly [value: number, colour: string])[]): Thresholds => ({
  mode: 'absolute',
  steps: [{ color: neutral, value: null }, ...levels.map(([value, color]) => ({ color, value }))],
});

/** Lines of the law: the first is a guideline or a limit to come, the last the limit in force. */
export const limit = (...values: readonly number[]): Thresholds => steps(...values.map((value, index) => [value, index === values.length - 1 ? exceeded : reached] as const));

/** Fewer is worse: below the first is exceeded, below the second a warning. */
export const atLeast = (bad: number, warning: number): Thresholds => ({ mode: 'absolute', steps: [{ color: exceeded, value: null }, { color: reached, value: bad }, { color: neutral, value: warning }] });

export const none = steps();

/** European Air Quality Index, revision of 2024: upper bounds of classes 1 to 5, ug/m3, by the hour. */
export const index = {
  pm2_5: [5, 15, 50, 90, 140],
  pm10: [15, 45, 120, 195, 270],
  no2: [10, 25, 60, 100, 150],
  o3: [60, 100, 120, 160, 180],
  so2: [20, 40, 125, 190, 275],
} as const;

export type IndexPollutant = keyof typeof index;

const classes: readonly Text[] = [['Bom', 'Good'], ['Razoável', 'Fair'], ['Médio', 'Moderate'], ['Mau', 'Poor'], ['Muito mau', 'Very poor'], ['Extremamente mau', 'Extremely poor']];

export function indexSteps(pollutant: IndexPollutant): Thresholds {
  return { mode: 'absolute', steps: [{ color: classColours[0], value: null }, ...index[pollutant].map((bound, at) => ({ color: classColours[at + 1] ?? classColours[5], value: bound }))] };
}

/** Words for the classes. Bounds belong to the lower class: of two ranges that hold a value the first counts. */
export function indexWords(pollutant: IndexPollutant, say: (text: Text) => string): Mapping[] {
  const bounds = index[pollutant];
  return classes.map((name, at) => ({
    type: 'range' as const,
    options: { from: at === 0 ? null : (bounds[at - 1] ?? null), to: bounds[at] ?? null, result: { text: say(name), color: classColours[at] ?? classColours[5], index: at } },
  }));
}

/** Directive 2008/50/EC until 2030, (EU) 2024/2881 from then on: see the source of each in cloud/Indicators/README.md and dashboards/README.md. ug/m3; CO mg/m3. */
export const legal = {
  no2Hour: limit(200),
  o3Hour: limit(180, 240),
  so2Hour: limit(350),
  co8h: limit(10),
  pm10Day: limit(45, 50),
  pm25Day: limit(15, 25),
  /** RGR, DL 9/2007, art. 11: sensitive and mixed zones, Lden, dB(A). A year's figure: lines to look at, not a verdict. */
  lden: limit(55, 65),
} as const;
