import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { LiveObservation } from "./live";
import { figure, hubNow, page, qualityWords, word } from "./page";

/** A chart's data as the server writes it; arrays run parallel, times in seconds since the epoch, null where the line must break. */
interface ChartData {
  datastream: number;
  label: string;
  unit: string;
  kind: "line" | "bars" | "directions";
  decimals: number;
  zone: string;
  /** Seconds from one point to the next. */
  step: number;
  /** False when points are buckets: then single live values are not appended. */
  raw: boolean;
  hours: number;
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
  limits: { value: number; label: string }[];
}

const token = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** Distances between marks of a scale that has no fractions. */
const wholes = [1, 10, 100, 1e3, 1e4, 1e5, 1e6].flatMap((ten) => [ten, 2 * ten, 5 * ten]);

/** What uPlot draws: times, the band's upper and lower edge, the line, points with a quality flag, points that are not valid. */
function columns(data: ChartData): uPlot.AlignedData {
  const none = data.v.map(() => null);
  const only = (wanted: (index: number) => boolean): (number | null)[] => data.v.map((value, index) => (value !== null && wanted(index) ? value : null));
  return [data.t, data.hi ?? none, data.lo ?? none, data.v, only((index) => data.q[index] !== 0), only((index) => data.n?.[index] === 1)];
}

class HubChart extends HTMLElement {
  #plot: uPlot | undefined;
  #data: ChartData | undefined;
  #observer: ResizeObserver | undefined;
  readonly #theme = matchMedia("(prefers-color-scheme: dark)");
  readonly #redraw = (): void => this.#draw();
  readonly #observed = (event: Event): void => this.#append((event as CustomEvent<LiveObservation>).detail);

  connectedCallback(): void {
    const block = this.querySelector("script");
    if (!block?.textContent) return;
    this.#data = JSON.parse(block.textContent) as ChartData;
    this.#draw();
    this.#observer = new ResizeObserver(() => this.#plot?.setSize({ width: this.#frame().clientWidth, height: this.#height() }));
    this.#observer.observe(this.#frame());
    this.#theme.addEventListener("change", this.#redraw);
    document.addEventListener("hub:observation", this.#observed);
  }

  disconnectedCallback(): void {
    this.#observer?.disconnect();
    this.#theme.removeEventListener("change", this.#redraw);
    document.removeEventListener("hub:observation", this.#observed);
    this.#plot?.destroy();
  }

  #frame(): HTMLElement {
    return this.querySelector<HTMLElement>(".chart-frame") ?? this;
  }

  #height(): number {
    return this.#frame().clientHeight || 200;
  }

  #draw(): void {
    const data = this.#data;
    if (!data || data.t.length === 0) return;
    this.#plot?.destroy();
    const frame = this.#frame();
    const ink = token("--ink");
    const soft = token("--ink-soft");
    const line = token("--line");
    const accent = token("--accent");
    const warn = token("--stale");
    const alarm = token("--alarm");
    const font = `12px ${getComputedStyle(document.body).fontFamily}`;
    const clock = new Intl.DateTimeFormat(page.language, { hour: "2-digit", minute: "2-digit", timeZone: data.zone });
    const day = new Intl.DateTimeFormat(page.language, { day: "numeric", month: "short", timeZone: data.zone });
    const long = data.hours > 8 * 24;
    const whole = new Intl.DateTimeFormat(page.language, {
      ...(long ? { day: "numeric", month: "short" } as const : { weekday: "short" } as const), ...(data.step < 86_400 ? { hour: "2-digit", minute: "2-digit" } as const : {}), timeZone: data.zone,
    });
    const bars = uPlot.paths.bars;
    const reach = data.limits.filter((limit) => data.v.some((value) => value !== null && value > limit.value * 0.6)).map((limit) => limit.value);
    const readout = this.querySelector<HTMLElement>("[data-readout]");
    const rest = readout?.textContent ?? "";

    this.#plot = new uPlot(
      {
        width: frame.clientWidth,
        height: this.#height(),
        legend: { show: false },
        cursor: { points: { size: 7 }, drag: { x: false, y: false } },
        padding: [10, 18, 0, 0],
        scales: {
          x: { time: true, range: () => [hubNow() / 1000 - data.hours * 3600, hubNow() / 1000] },
          y: {
            range: (_plot, min, max) => {
              const low = Math.min(min, ...reach);
              const high = Math.max(max, ...reach);
              if (data.kind === "directions") return [0, 360];
              if (data.kind === "bars") return [0, Math.max(high, 1) * 1.08];
              const room = high === low ? Math.max(10 ** -data.decimals, Math.abs(high) * 0.08) : (high - low) * 0.08;
              return [low >= 0 && low - room < 0 ? 0 : low - room, high + room];
            },
          },
        },
        axes: [
          {
            stroke: soft, font, grid: { stroke: line, width: 1 }, ticks: { show: false }, space: 64, size: 28, gap: 6,
            values: (_plot, splits) => splits.map((at) => {
              const text = clock.format(at * 1000);
              return long || text === "00:00" ? day.format(at * 1000) : text;
            }),
          },
          {
            stroke: soft, font, grid: { stroke: line, width: 1 }, ticks: { show: false }, size: 52,
            // Whole quantities get whole marks; the others as many decimals as tell one mark from the next.
            ...(data.kind === "directions" ? { splits: () => [0, 90, 180, 270, 360] } : data.decimals === 0 ? { incrs: wholes } : {}),
            values: (_plot, splits) => {
              const decimals = [0, 1, 2].find((count) => splits.every((one) => Math.abs(one * 10 ** count - Math.round(one * 10 ** count)) < 1e-6)) ?? 3;
              return splits.map((value) => figure(value, decimals));
            },
          },
        ],
        bands: [{ series: [1, 2], fill: token("--accent-soft") }],
        series: [
          {},
          { stroke: accent, width: 0, points: { show: false } },
          { stroke: accent, width: 0, points: { show: false } },
          {
            stroke: accent, width: data.kind === "line" ? 1.75 : 0, spanGaps: false, points: { show: false },
            // From 350° to 10° is a small turn: a line between them would cross the whole chart.
            ...(data.kind === "directions" ? { paths: () => null, points: { show: true, size: 4, stroke: accent, fill: accent } } : {}),
            ...(data.kind === "bars" && bars ? { paths: bars({ size: [0.9, 40], align: 1 }), fill: accent } : {}),
          },
          { stroke: warn, width: 0, paths: () => null, points: { show: true, size: 5, stroke: warn, fill: token("--surface"), width: 1.5 } },
          { stroke: soft, width: 0, paths: () => null, points: { show: true, size: 8, stroke: soft, fill: token("--surface"), width: 1.5 } },
        ],
        hooks: {
          draw: [(plot) => {
            const context = plot.ctx;
            context.save();
            for (const limit of data.limits) {
              const y = plot.valToPos(limit.value, "y", true);
              if (y < plot.bbox.top || y > plot.bbox.top + plot.bbox.height) continue;
              context.strokeStyle = alarm;
              context.lineWidth = devicePixelRatio * 1.25;
              context.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio]);
              context.beginPath();
              context.moveTo(plot.bbox.left, y);
              context.lineTo(plot.bbox.left + plot.bbox.width, y);
              context.stroke();
              context.fillStyle = ink;
              context.font = `${11 * devicePixelRatio}px ${getComputedStyle(document.body).fontFamily}`;
              context.textAlign = "right";
              context.textBaseline = "bottom";
              context.lineWidth = 3 * devicePixelRatio;
              context.setLineDash([]);
              context.strokeStyle = token("--surface");
              context.strokeText(limit.label, plot.bbox.left + plot.bbox.width - 4 * devicePixelRatio, y - 2 * devicePixelRatio);
              context.fillText(limit.label, plot.bbox.left + plot.bbox.width - 4 * devicePixelRatio, y - 2 * devicePixelRatio);
            }
            context.restore();
          }],
          setCursor: [(plot) => {
            if (!readout) return;
            const index = plot.cursor.idx;
            const value = index === null || index === undefined ? null : data.v[index];
            if (index === null || index === undefined || value === null || value === undefined) {
              readout.textContent = rest;
              return;
            }
            const [low, high, percent] = [data.lo?.[index] ?? null, data.hi?.[index] ?? null, data.c?.[index] ?? null];
            const range = low !== null && high !== null ? ` (${figure(low, data.decimals)} – ${figure(high, data.decimals)})` : "";
            const known = [
              qualityWords(data.q[index] ?? 0), data.n?.[index] === 1 ? word("chart.word.invalid") : "", percent !== null && percent < 100 ? word("chart.word.covered", percent) : "",
            ].filter((one) => one !== "").join(", ");
            readout.textContent = `${whole.format((data.t[index] ?? 0) * 1000)}: ${figure(value, data.decimals)} ${data.unit}${range}${known ? ` (${known})` : ""}`;
          }],
        },
      },
      columns(data),
      frame,
    );
    this.#plot.root.setAttribute("aria-hidden", "true");
    this.classList.add("drawn");
  }

  #append(observation: LiveObservation): void {
    const data = this.#data;
    if (!data || !data.raw || observation.datastream !== data.datastream) return;
    const at = observation.time / 1000;
    const last = data.t.at(-1) ?? 0;
    if (at <= last) return;
    if (at - last > data.step * 1.5) {
      data.t.push(last + data.step);
      data.v.push(null);
      data.q.push(0);
    }
    data.t.push(at);
    data.v.push(observation.value);
    data.q.push(observation.quality);
    const oldest = hubNow() / 1000 - data.hours * 3600;
    while ((data.t[0] ?? Infinity) < oldest) {
      data.t.shift();
      data.v.shift();
      data.q.shift();
    }
    this.#plot?.setData(columns(data));
    const hint = this.querySelector("[data-empty]");
    if (hint) hint.textContent = word("chart.live");
  }
}

customElements.define("hub-chart", HubChart);
