import { qualityBits } from "./page";
import { instant, say, type Stretch } from "./chart-view";

/** Arrays run parallel, times in seconds since the epoch, null where the line must break. */
export interface Points {
  /** Seconds from one point to the next. */
  step: number;
  /** False when points are buckets. */
  raw: boolean;
  t: number[];
  v: (number | null)[];
  q: number[];
  /** Smallest and largest observation of each point; null when points are observations, and where there is no line. */
  lo: (number | null)[] | null;
  hi: (number | null)[] | null;
  /** Whole percent of each point's stretch that is covered. */
  c: (number | null)[] | null;
  /** 1 where too little is covered for the figure to be valid; null when all are. */
  n: number[] | null;
}

/** A line drawn beside another, at that one's times. */
export interface Beside {
  t: number[];
  v: (number | null)[];
}

/** A chart's data as the server writes it. */
export interface ChartData extends Points {
  datastream: number;
  label: string;
  unit: string;
  kind: "line" | "bars" | "directions";
  decimals: number;
  zone: string;
  hours: number;
  from: number;
  to: number;
  /** Whether the page goes with the time. */
  follow: boolean;
  /** Address of the open API's datastreams, with a slash at the end. */
  source: string;
  /** Points of an answer at most. */
  points: number;
  /** Seconds of the averaging period; 0 for instantaneous values. */
  period: number;
  /** Which values are shown: `only` when there are no others, `many` when those before calibration are too many. */
  values: "only" | "calibrated" | "raw" | "many";
  wantsRaw: boolean;
  /** What a bucket is, with its width to be put in. */
  bucket: string;
  single: string;
  compared: (Beside & { datastream: number; shift: number; label: string }) | null;
  limits: { value: number; label: string }[];
}

interface ApiObservation {
  phenomenonTime: string;
  result: number | null;
  quality: unknown;
  raw?: number | null;
  coverage: number | null;
  valid?: boolean | null;
  min?: number;
  max?: number;
}

interface ApiAnswer {
  resolution: string;
  observations: ApiObservation[];
}

/** Longest wait for an answer, milliseconds. */
const answerLimit = 15_000;

/** A distance of more than this many steps is a gap; the server decides the same way (`ChartGaps`). */
const stepsMax = 1.5;

/** Seconds of `PT5M`, `PT1H`, `P1D`; 0 for any other text. */
export function secondsOf(duration: string): number {
  const found = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/.exec(duration);
  if (!found) return 0;
  const [days, hours, minutes, seconds] = found.slice(1).map((part) => Number(part ?? 0));
  return (days ?? 0) * 86_400 + (hours ?? 0) * 3600 + (minutes ?? 0) * 60 + (seconds ?? 0);
}

/** `PT300S` for the API. */
export const durationOf = (seconds: number): string => (seconds % 86_400 === 0 ? `P${seconds / 86_400}D` : `PT${seconds}S`);

/** A width in words. */
export function widthOf(seconds: number): string {
  if (seconds % 86_400 === 0) return say("days", seconds / 86_400);
  if (seconds % 3600 === 0) return say("hours", seconds / 3600);
  return seconds % 60 === 0 ? say("minutes", seconds / 60) : say("seconds", seconds);
}

/** The points of an answer, with an empty one wherever the next is further than one and a half steps away. Pure. */
export function pointsOf(answer: ApiAnswer, chart: Pick<ChartData, "kind" | "period">, before: boolean): Points {
  const raw = answer.resolution === "raw";
  const times = answer.observations.map((one) => Date.parse(one.phenomenonTime) / 1000);
  const steps = times.slice(1).map((at, index) => at - (times[index] ?? at)).sort((a, b) => a - b);
  const step = raw ? chart.period || steps[Math.floor(steps.length / 2)] || 300 : secondsOf(answer.resolution) || 300;
  const banded = !raw && chart.kind === "line";
  const points: Points = { step, raw, t: [], v: [], q: [], lo: banded ? [] : null, hi: banded ? [] : null, c: raw ? null : [], n: null };
  const add = (at: number, one: ApiObservation | null): void => {
    points.t.push(at);
    points.v.push(one ? (before ? one.raw ?? one.result : one.result) : null);
    points.q.push(one ? qualityBits(one.quality) : 0);
    points.lo?.push(one?.min ?? null);
    points.hi?.push(one?.max ?? null);
    points.c?.push(one && typeof one.coverage === "number" ? Math.floor(one.coverage * 100 + 1e-6) : null);
    invalid.push(one?.valid === false ? 1 : 0);
  };
  const invalid: number[] = [];
  answer.observations.forEach((one, index) => {
    const at = times[index] ?? 0;
    const last = index > 0 ? times[index - 1] ?? at : at;
    if (at - last > step * stepsMax) add(last + step, null);
    add(at, one);
  });
  if (invalid.includes(1)) points.n = invalid;
  return points;
}

/** Asks the open API for a stretch of a datastream: its observations when they are few enough, otherwise buckets. */
export async function fetchPoints(chart: ChartData, datastream: number, wanted: Stretch, before: boolean, signal: AbortSignal): Promise<Points> {
  const address = `${chart.source}${datastream}/observations?from=${instant(wanted.from)}&to=${instant(wanted.to)}&points=${chart.points}`;
  const answer = await fetch(address, { headers: { accept: "application/json" }, signal: AbortSignal.any([signal, AbortSignal.timeout(answerLimit)]) });
  if (!answer.ok) throw new Error(String(answer.status));
  return pointsOf((await answer.json()) as ApiAnswer, chart, before);
}
