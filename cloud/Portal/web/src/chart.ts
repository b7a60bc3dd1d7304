import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import "./chart.css";
import { durationOf, fetchPoints, widthOf, type Beside, type ChartData, type Points } from "./chart-data";
import { listenToHands, listenToKeys } from "./chart-hands";
import { instant, say, view, type Stretch } from "./chart-view";
import type { LiveObservation } from "./live";
import { figure, hubNow, page, qualityWords, word } from "./page";

const token = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** Distances between marks of a scale that has no fractions. */
const wholes = [1, 10, 100, 1e3, 1e4, 1e5, 1e6].flatMap((ten) => [ten, 2 * ten, 5 * ten]);

/** How long the view has to stand still before finer values are asked for, milliseconds. */
const fetchAfter = 180;

/** What uPlot draws: times, the band's upper and lower edge, the line, points that are not valid. */
function columns(data: Points): uPlot.AlignedData {
  const none = data.v.map(() => null);
  return [data.t, data.hi ?? none, data.lo ?? none, data.v, data.v.map((value, index) => (value !== null && data.n?.[index] === 1 ? value : null))];
}

/** Index of the first time that is not before an instant. */
function firstAt(times: number[], at: number): number {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] ?? 0) < at) low = middle + 1;
    else high = middle;
  }
  return low;
}

class HubChart extends HTMLElement {
  #plot: uPlot | undefined;
  #data: ChartData | undefined;
  /** What is held: from when to when, for a view how long, and whether it reached up to the present. */
  #loaded = { from: 0, to: 0, span: 0, live: true };
  #asked: Stretch | undefined;
  #asking: AbortController | undefined;
  #timer = 0;
  #seen = false;
  #stale = false;
  #held = false;
  #scale: [number, number] = [0, 1];
  #rest = "";
  #moment: { key: string; format: Intl.DateTimeFormat } | undefined;
  #observer: ResizeObserver | undefined;
  #watcher: IntersectionObserver | undefined;
  #deaf: (() => void) | undefined;
  readonly #theme = matchMedia("(prefers-color-scheme: dark)");
  readonly #redraw = (): void => this.#draw();
  readonly #observed = (event: Event): void => this.#append((event as CustomEvent<LiveObservation>).detail);

  connectedCallback(): void {
    const block = this.querySelector("script");
    if (!block?.textContent) return;
    const data = JSON.parse(block.textContent) as ChartData;
    this.#data = data;
    view.begin(data);
    this.#loaded = { from: data.from, to: data.to, span: data.to - data.from, live: data.to > hubNow() / 1000 - Math.max(120, 2 * data.step) };
    this.#rest = this.#readout()?.textContent ?? "";
    const frame = this.#frame();
    frame.removeAttribute("aria-hidden");
    frame.tabIndex = 0;
    frame.setAttribute("role", "application");
    frame.setAttribute("aria-label", this.dataset.name ?? data.label);
    frame.setAttribute("aria-describedby", "chart-keys");
    listenToKeys(frame);
    this.#draw();
    this.#observer = new ResizeObserver(() => this.#plot?.setSize({ width: this.#frame().clientWidth, height: this.#height() }));
    this.#observer.observe(frame);
    // Charts out of sight wait: they are drawn, and ask for values, when they are scrolled to.
    this.#watcher = new IntersectionObserver((entries) => {
      this.#seen = entries.some((entry) => entry.isIntersecting);
      if (this.#seen && this.#stale) this.#moved();
    }, { rootMargin: "200px" });
    this.#watcher.observe(this);
    this.#deaf = view.listen(() => this.#moved());
    this.#theme.addEventListener("change", this.#redraw);
    document.addEventListener("hub:observation", this.#observed);
  }

  disconnectedCallback(): void {
    this.#observer?.disconnect();
    this.#watcher?.disconnect();
    this.#deaf?.();
    this.#asking?.abort();
    window.clearTimeout(this.#timer);
    this.#theme.removeEventListener("change", this.#redraw);
    document.removeEventListener("hub:observation", this.#observed);
    this.#plot?.destroy();
  }

  #frame(): HTMLElement {
    return this.querySelector<HTMLElement>(".chart-frame") ?? this;
  }

  #readout(): HTMLElement | null {
    return this.querySelector<HTMLElement>("[data-readout]");
  }

  #height(): number {
    return this.#frame().clientHeight || 200;
  }

  /** The view has changed: what is held is drawn at once, what is missing asked for. */
  #moved(): void {
    this.#stale = !this.#seen;
    if (!this.#seen) return;
    const { from, to } = view.stretch;
    this.#plot?.setScale("x", { min: from, max: to });
    window.clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => this.#settled(), fetchAfter);
  }

  #settled(): void {
    const data = this.#data;
    if (!data) return;
    const { from, to } = view.stretch;
    const now = hubNow() / 1000;
    const span = to - from;
    const covered = this.#loaded.from <= from + data.step && (this.#loaded.to >= Math.min(to, now) - data.step || (this.#loaded.live && to >= this.#loaded.to));
    const fine = data.raw || span > this.#loaded.span * 0.7;
    this.#tell();
    if (covered && fine) return;
    // Half a view more on either side, so that moving draws at once.
    void this.#fetch({ from: from - span / 2, to: Math.min(to + span / 2, Math.max(now, to)) }, span);
  }

  async #fetch(wanted: Stretch, span: number): Promise<void> {
    const data = this.#data;
    if (!data || (this.#asked && this.#asked.from === wanted.from && this.#asked.to === wanted.to)) return;
    this.#asking?.abort();
    const asking = new AbortController();
    this.#asking = asking;
    this.#asked = wanted;
    this.setAttribute("data-asking", "true");
    try {
      const beside = data.compared;
      const [points, other] = await Promise.all([
        fetchPoints(data, data.datastream, wanted, data.wantsRaw, asking.signal),
        beside ? fetchPoints(data, beside.datastream, { from: wanted.from - beside.shift, to: wanted.to - beside.shift }, false, asking.signal) : null,
      ]);
      if (asking.signal.aborted) return;
      Object.assign(data, points);
      if (data.wantsRaw) data.values = points.raw ? "raw" : "many";
      if (beside && other) [beside.t, beside.v] = [other.t.map((at) => at + beside.shift), other.v];
      this.#loaded = { ...wanted, span, live: wanted.to > hubNow() / 1000 - Math.max(30, 2 * points.step) };
      this.#fault("");
      if (this.#plot) this.#plot.setData(columns(data));
      else this.#draw();
      this.#tell();
    } catch (error) {
      if (asking.signal.aborted) return;
      this.#asked = undefined;
      this.#fault(say("failed", error instanceof Error ? error.message : String(error)));
    } finally {
      if (this.#asking === asking) {
        this.#asked = undefined;
        this.setAttribute("data-asking", "false");
      }
    }
  }

  #fault(text: string): void {
    const element = this.querySelector<HTMLElement>("[data-fault]");
    if (!element) return;
    element.hidden = text === "";
    element.textContent = text;
  }

  /** Says what is in view: range and kind of points, what is known against them, and where the same can be had. */
  #tell(): void {
    const data = this.#data;
    if (!data) return;
    const { from, to } = view.stretch;
    const [first, end] = [firstAt(data.t, from), firstAt(data.t, to)];
    let [low, high] = [Infinity, -Infinity];
    const flags = new Map<number, number>();
    for (let index = first; index < end; index++) {
      const value = data.v[index];
      if (value === null || value === undefined) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
      const bits = data.q[index] ?? 0;
      for (let bit = 1; bit <= bits; bit <<= 1) if (bits & bit) flags.set(bit, (flags.get(bit) ?? 0) + 1);
    }
    const parts = low > high ? [say("empty")] : [
      say("range", figure(low, data.decimals), figure(high, data.decimals), data.unit).replace(" .", "."), data.raw ? data.single : data.bucket.replace("{0}", widthOf(data.step)),
    ];
    if (data.values === "many") parts.push(say("many", data.points));
    this.#rest = parts.join(" ");
    const readout = this.#readout();
    if (readout && this.#plot?.cursor.idx == null) readout.textContent = this.#rest;
    const flagged = this.querySelector("[data-flags]");
    if (flagged) {
      flagged.textContent = [...flags].map(([bit, count]) => `${figure(count, 0)} × ${qualityWords(bit)}`).join(", ");
      flagged.parentElement?.classList.toggle("key-none", flags.size === 0);
    }
    const shown = this.querySelector("[data-values]");
    if (shown && data.wantsRaw) shown.textContent = say(data.values === "raw" ? "raw" : "calibrated");
    // The table is the server's: of another time it is had by opening the page with that time, which the address says by now.
    const note = this.closest(".chart")?.querySelector<HTMLElement>("[data-table-note]");
    if (note) {
      note.hidden = view.isHome;
      const button = note.querySelector("button");
      if (button) button.onclick = () => location.reload();
    }
    const address = `${data.source}${data.datastream}/observations?from=${encodeURIComponent(instant(from))}&to=${encodeURIComponent(instant(to))}`;
    for (const link of this.closest(".chart")?.querySelectorAll<HTMLAnchorElement>("[data-as-shown], [data-all]") ?? []) {
      const all = link.dataset.all !== undefined;
      link.href = address + (all ? "&limit=100000" : data.raw ? "" : `&every=${durationOf(data.step)}`) + (link.hasAttribute("download") ? "&format=csv" : "");
    }
  }

  #draw(): void {
    const data = this.#data;
    if (!data || (data.t.length === 0 && data.follow)) return;
    this.#plot?.destroy();
    const frame = this.#frame();
    const ink = token("--ink");
    const soft = token("--ink-soft");
    const line = token("--line");
    const accent = token("--accent");
    const warn = token("--stale");
    const alarm = token("--alarm");
    const surface = token("--surface");
    const family = getComputedStyle(document.body).fontFamily;
    const font = `12px ${family}`;
    const clock = new Intl.DateTimeFormat(page.language, { hour: "2-digit", minute: "2-digit", timeZone: data.zone });
    const second = new Intl.DateTimeFormat(page.language, { hour: "2-digit", minute: "2-digit", second: "2-digit", timeZone: data.zone });
    const day = new Intl.DateTimeFormat(page.language, { day: "numeric", month: "short", timeZone: data.zone });
    const bars = uPlot.paths.bars;
    const reach = data.limits.filter((limit) => data.v.some((value) => value !== null && value > limit.value * 0.6)).map((limit) => limit.value);

    this.#plot = new uPlot(
      {
        width: frame.clientWidth,
        height: this.#height(),
        legend: { show: false },
        cursor: {
          points: { size: 7 },
          drag: { x: true, y: false, setScale: false, dist: 5 },
          bind: {
            // With Shift a drag moves (chart-hands); without, it chooses.
            mousedown: (_plot, _target, handler) => (event) => {
              if (!event.shiftKey) handler(event);
              return null;
            },
            dblclick: () => () => {
              view.back();
              return null;
            },
          },
        },
        padding: [10, 18, 0, 0],
        scales: {
          x: { time: true, range: () => [view.stretch.from, view.stretch.to] },
          y: {
            range: (_plot, min, max) => {
              if (this.#held) return this.#scale;
              const beside = this.#besideWithin();
              const low = Math.min(min ?? Infinity, ...reach, beside[0]);
              const high = Math.max(max ?? -Infinity, ...reach, beside[1]);
              this.#scale = this.#scaleOf(data, low, high);
              return this.#scale;
            },
          },
        },
        axes: [
          {
            stroke: soft, font, grid: { stroke: line, width: 1 }, ticks: { show: false }, space: 64, size: 28, gap: 6,
            values: (_plot, splits, _axis, _space, step) => splits.map((at) => {
              const text = clock.format(at * 1000);
              return step >= 86_400 || text === "00:00" ? day.format(at * 1000) : step < 60 ? second.format(at * 1000) : text;
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
          { stroke: soft, width: 0, paths: () => null, points: { show: true, size: 8, stroke: soft, fill: surface, width: 1.5 } },
        ],
        hooks: {
          setSelect: [(plot) => {
            const { left, width } = plot.select;
            if (width <= 0) return;
            const [from, to] = [plot.posToVal(left, "x"), plot.posToVal(left + width, "x")];
            plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
            view.show({ from, to }, true);
          }],
          draw: [(plot) => {
            this.#drawBeside(plot, soft);
            this.#drawFlags(plot, warn, surface);
            this.#drawLimits(plot, alarm, ink, surface, family);
          }],
          setCursor: [(plot) => this.#point(plot.cursor.idx ?? null)],
        },
      },
      columns(data),
      frame,
    );
    this.#plot.root.setAttribute("aria-hidden", "true");
    listenToHands(this.#plot, (on) => {
      this.#held = on;
      if (!on) this.#plot?.setScale("x", { min: view.stretch.from, max: view.stretch.to });
    });
    this.classList.add("drawn");
  }

  #scaleOf(data: ChartData, low: number, high: number): [number, number] {
    if (data.kind === "directions") return [0, 360];
    if (!Number.isFinite(low) || !Number.isFinite(high)) return [0, 1];
    if (data.kind === "bars") return [0, Math.max(high, 1) * 1.08];
    const room = high === low ? Math.max(10 ** -data.decimals, Math.abs(high) * 0.08) : (high - low) * 0.08;
    return [low >= 0 && low - room < 0 ? 0 : low - room, high + room];
  }

  /** The part of what is compared with that is in view. */
  #beside(): { line: Beside; first: number; end: number } | undefined {
    const line = this.#data?.compared;
    if (!line || line.t.length === 0) return undefined;
    const { from, to } = view.stretch;
    return { line, first: Math.max(0, firstAt(line.t, from) - 1), end: Math.min(line.t.length, firstAt(line.t, to) + 1) };
  }

  #besideWithin(): [number, number] {
    const part = this.#beside();
    const values = part?.line.v.slice(part.first, part.end).filter((value): value is number => value !== null) ?? [];
    return values.reduce<[number, number]>(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);
  }

  /** What is compared with: dashed and paler, broken where it has a gap. */
  #drawBeside(plot: uPlot, colour: string): void {
    const part = this.#beside();
    if (!part) return;
    const dots = this.#data?.kind === "directions";
    const context = plot.ctx;
    this.#inside(plot, () => {
      context.strokeStyle = colour;
      context.lineWidth = devicePixelRatio * 1.5;
      // Dashes cost more than all the rest of a picture: while it is dragged the line is told by its colour alone.
      context.setLineDash(dots || this.#held ? [] : [5 * devicePixelRatio, 3 * devicePixelRatio]);
      context.beginPath();
      let pen = false;
      for (let index = part.first; index < part.end; index++) {
        const value = part.line.v[index];
        if (value === null || value === undefined) {
          pen = false;
          continue;
        }
        const [x, y] = [plot.valToPos(part.line.t[index] ?? 0, "x", true), plot.valToPos(value, "y", true)];
        if (dots) context.rect(x - devicePixelRatio, y - devicePixelRatio, 2 * devicePixelRatio, 2 * devicePixelRatio);
        else if (pen) context.lineTo(x, y);
        else context.moveTo(x, y);
        pen = true;
      }
      context.stroke();
    });
  }

  /** Something is known against a point: a diamond on the line. */
  #drawFlags(plot: uPlot, colour: string, surface: string): void {
    const data = this.#data;
    if (!data) return;
    const { from, to } = view.stretch;
    const context = plot.ctx;
    const reach = 3.6 * devicePixelRatio;
    this.#inside(plot, () => {
      context.beginPath();
      for (let index = firstAt(data.t, from); index < data.t.length && (data.t[index] ?? 0) <= to; index++) {
        const value = data.v[index];
        if (data.q[index] === 0 || value === null || value === undefined) continue;
        const [x, y] = [plot.valToPos(data.t[index] ?? 0, "x", true), plot.valToPos(value, "y", true)];
        context.moveTo(x, y - reach);
        context.lineTo(x + reach, y);
        context.lineTo(x, y + reach);
        context.lineTo(x - reach, y);
        context.closePath();
      }
      context.fillStyle = surface;
      context.fill();
      context.strokeStyle = colour;
      context.lineWidth = 1.5 * devicePixelRatio;
      context.stroke();
    });
  }

  #drawLimits(plot: uPlot, alarm: string, ink: string, surface: string, family: string): void {
    const context = plot.ctx;
    context.save();
    for (const limit of this.#data?.limits ?? []) {
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
      context.font = `${11 * devicePixelRatio}px ${family}`;
      context.textAlign = "right";
      context.textBaseline = "bottom";
      context.lineWidth = 3 * devicePixelRatio;
      context.setLineDash([]);
      context.strokeStyle = surface;
      context.strokeText(limit.label, plot.bbox.left + plot.bbox.width - 4 * devicePixelRatio, y - 2 * devicePixelRatio);
      context.fillText(limit.label, plot.bbox.left + plot.bbox.width - 4 * devicePixelRatio, y - 2 * devicePixelRatio);
    }
    context.restore();
  }

  #inside(plot: uPlot, paint: () => void): void {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    paint();
    ctx.restore();
  }

  /** How the moment of a point is written; kept, since making it takes longer than using it. */
  #momentOf(data: ChartData, long: boolean): Intl.DateTimeFormat {
    const key = `${long} ${data.step < 60} ${data.step < 86_400}`;
    if (this.#moment?.key !== key) {
      const format = new Intl.DateTimeFormat(page.language, {
        ...(long ? { day: "numeric", month: "short" } as const : { weekday: "short" } as const), ...(data.step < 86_400 ? { hour: "2-digit", minute: "2-digit" } as const : {}),
        ...(data.step < 60 ? { second: "2-digit" } as const : {}), timeZone: data.zone,
      });
      this.#moment = { key, format };
    }
    return this.#moment.format;
  }

  /** Reads out the point under the pointer. */
  #point(index: number | null): void {
    const [data, readout] = [this.#data, this.#readout()];
    if (!data || !readout) return;
    const value = index === null ? null : data.v[index];
    if (index === null || value === null || value === undefined) {
      readout.textContent = this.#rest;
      return;
    }
    const at = data.t[index] ?? 0;
    const whole = this.#momentOf(data, view.stretch.to - view.stretch.from > 8 * 86_400);
    const [low, high, percent] = [data.lo?.[index] ?? null, data.hi?.[index] ?? null, data.c?.[index] ?? null];
    const range = low !== null && high !== null ? ` (${figure(low, data.decimals)} – ${figure(high, data.decimals)})` : "";
    const known = [
      qualityWords(data.q[index] ?? 0), data.n?.[index] === 1 ? word("chart.word.invalid") : "", percent !== null && percent < 100 ? word("chart.word.covered", percent) : "",
    ].filter((one) => one !== "").join(", ");
    const beside = data.compared ? this.#besideAt(data.compared, at, data.step) : null;
    const other = data.compared && beside !== null ? ` · ${data.compared.label}: ${figure(beside, data.decimals)} ${data.unit}` : "";
    readout.textContent = `${whole.format(at * 1000)}: ${figure(value, data.decimals)} ${data.unit}${range}${known ? ` (${known})` : ""}${other}`;
  }

  /** The nearest value of what is compared with, not more than a step away. */
  #besideAt(line: Beside, at: number, step: number): number | null {
    const index = firstAt(line.t, at);
    const near = [index - 1, index].filter((one) => line.v[one] !== null && line.v[one] !== undefined && Math.abs((line.t[one] ?? 0) - at) <= step);
    const best = near.sort((a, b) => Math.abs((line.t[a] ?? 0) - at) - Math.abs((line.t[b] ?? 0) - at))[0];
    return best === undefined ? null : line.v[best] ?? null;
  }

  #append(observation: LiveObservation): void {
    const data = this.#data;
    // Live values are calibrated ones.
    if (!data || !data.raw || data.values === "raw" || !this.#loaded.live || observation.datastream !== data.datastream) return;
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
    this.#loaded.to = Math.max(this.#loaded.to, at + data.step);
    const oldest = this.#loaded.from + (hubNow() / 1000 - this.#loaded.to);
    while (view.follows && (data.t[0] ?? Infinity) < Math.min(oldest, view.stretch.from)) {
      data.t.shift();
      data.v.shift();
      data.q.shift();
    }
    this.#plot?.setData(columns(data));
  }
}

customElements.define("hub-chart", HubChart);
