import type uPlot from "uplot";
import { view, type Stretch } from "./chart-view";

/** A wheel's notch zooms by this factor for each hundred pixels. */
const wheelBase = 1.0022;
const keyActs: Record<string, string> = { "+": "in", "=": "in", "-": "out", "−": "out", ArrowLeft: "earlier", ArrowRight: "later", Escape: "back", "0": "whole" };

const span = ({ from, to }: Stretch): number => to - from;

/** Keys while the chart has the focus; with Ctrl, Alt or Meta they stay the browser's. */
export function listenToKeys(frame: HTMLElement): void {
  frame.addEventListener("keydown", (event) => {
    const act = event.ctrlKey || event.altKey || event.metaKey ? undefined : keyActs[event.key];
    if (!act) return;
    event.preventDefault();
    view.act(act);
  });
}

/**
 * Drags that move, fingers, and the wheel. One finger moves sideways and leaves up and down to the page, two zoom; the wheel moves with Shift (or sideways) and zooms with Ctrl, otherwise it is the page's.
 * `held` is told while something is dragged: the scale of values should stand still then.
 */
export function listenToHands(plot: uPlot, held: (on: boolean) => void): void {
  const over = plot.over;
  const wide = (): number => Math.max(1, over.clientWidth);
  const share = (clientX: number): number => (clientX - over.getBoundingClientRect().left) / wide();

  over.addEventListener("wheel", (event) => {
    if (event.ctrlKey) {
      event.preventDefault();
      zoomed(Math.pow(wheelBase, event.deltaY), share(event.clientX));
    } else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      event.preventDefault();
      const by = ((event.deltaX || event.deltaY) / wide()) * span(view.stretch);
      const { from, to } = view.stretch;
      remember();
      view.show({ from: from + by, to: to + by }, false);
    }
  }, { passive: false });

  // A turn of the wheel is many events and one step to go back.
  let turning = 0;
  const remember = (): void => {
    if (!turning) view.mark();
    window.clearTimeout(turning);
    turning = window.setTimeout(() => (turning = 0), 400);
  };
  const zoomed = (factor: number, at: number): void => {
    remember();
    const { from, to } = view.stretch;
    const middle = from + (to - from) * at;
    view.show({ from: middle - (middle - from) * factor, to: middle + (to - middle) * factor }, false);
  };

  const fingers = new Map<number, number>();
  let start: { stretch: Stretch; places: number[] } | undefined;
  const begin = (): void => {
    start = { stretch: view.stretch, places: [...fingers.values()] };
  };
  over.addEventListener("pointerdown", (event) => {
    const moves = event.pointerType === "touch" || (event.button === 0 && event.shiftKey);
    if (!moves || fingers.size >= 2) return;
    if (fingers.size === 0) view.mark();
    fingers.set(event.pointerId, event.clientX);
    over.setPointerCapture(event.pointerId);
    held(true);
    begin();
  });
  over.addEventListener("pointermove", (event) => {
    if (!fingers.has(event.pointerId) || !start) return;
    fingers.set(event.pointerId, event.clientX);
    const now = [...fingers.values()];
    const { from } = start.stretch;
    const length = span(start.stretch);
    const [was, wasOther] = start.places;
    const [is, isOther] = now;
    if (was === undefined || is === undefined) return;
    if (wasOther !== undefined && isOther !== undefined) {
      // What lay under each finger stays there.
      const factor = Math.abs(was - wasOther) / Math.max(20, Math.abs(is - isOther));
      const middle = from + share((was + wasOther) / 2) * length;
      const left = middle - share((is + isOther) / 2) * length * factor;
      view.show({ from: left, to: left + length * factor }, false);
    } else {
      const by = ((was - is) / wide()) * length;
      view.show({ from: from + by, to: from + by + length }, false);
    }
  });
  const end = (event: PointerEvent): void => {
    if (!fingers.delete(event.pointerId)) return;
    if (fingers.size === 0) {
      start = undefined;
      held(false);
    } else begin();
  };
  over.addEventListener("pointerup", end);
  over.addEventListener("pointercancel", end);
}
