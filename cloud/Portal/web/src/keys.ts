/**
 * Alarms by keyboard. The keys work only while the focus is in a list of alarms, so that they are in nobody's way who speaks to the machine or types elsewhere (WCAG 2.1.4):
 * arrows or J and K go from alarm to alarm, A acknowledges, S goes to the time of shelving, C to the field for a comment. Enter and Tab are the browser's.
 */
const list = ".alarms";
const item = "li.alarm";

function alarms(from: Element): HTMLElement[] {
  return [...(from.closest(list)?.querySelectorAll<HTMLElement>(item) ?? [])];
}

function nameOf(alarm: HTMLElement | undefined): HTMLElement | null | undefined {
  return alarm?.querySelector<HTMLElement>(".alarm-name a");
}

function go(from: HTMLElement, step: number): boolean {
  const all = alarms(from);
  const next = nameOf(all[all.indexOf(from) + step]);
  next?.focus();
  return next !== null && next !== undefined;
}

/** What each key does with the alarm that has the focus; false when there is nothing to do. */
const acts: Record<string, (alarm: HTMLElement) => boolean> = {
  arrowdown: (alarm) => go(alarm, 1),
  j: (alarm) => go(alarm, 1),
  arrowup: (alarm) => go(alarm, -1),
  k: (alarm) => go(alarm, -1),
  a: (alarm) => {
    const form = alarm.querySelector<HTMLFormElement>("form[data-act='acknowledge']");
    if (form) void send(form, alarm.dataset.alarm ?? "");
    return form !== null;
  },
  s: (alarm) => {
    const times = alarm.querySelector<HTMLElement>(".act-shelve select");
    times?.focus();
    return times !== null;
  },
  c: (alarm) => {
    const page = nameOf(alarm)?.getAttribute("href");
    if (!page || !alarm.querySelector(".acts")) return false;
    location.assign(`${page}#comment`);
    return true;
  },
};

/** Acknowledges without leaving the place in the list; what the hub answers is what the page shows afterwards. */
async function send(form: HTMLFormElement, alarm: string): Promise<void> {
  if (form.dataset.sent) return;
  form.dataset.sent = "true";
  try {
    const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams([...new FormData(form)].map(([key, value]) => [key, String(value)])), signal: AbortSignal.timeout(10_000) });
    if (!answer.ok) throw new Error(String(answer.status));
    document.dispatchEvent(new CustomEvent("hub:acted", { detail: alarm }));
  } catch {
    // As the button does it: what went wrong has a page of its own.
    form.submit();
  }
}

export function startKeys(): void {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const at = event.target instanceof HTMLElement ? event.target : undefined;
    if (!at || at.matches("input, select, textarea, [contenteditable]")) return;
    const alarm = at.closest<HTMLElement>(item);
    if (alarm?.closest(list) && acts[event.key.toLowerCase()]?.(alarm)) event.preventDefault();
  });
}
