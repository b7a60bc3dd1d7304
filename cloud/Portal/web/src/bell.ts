import { word } from "./page";

/**
 * Tells of new alarms whoever does not look at the page: the number of alarms that wait for somebody stands in the title, and, for who has switched it on in this browser, there is a sound.
 * New is an open alarm that was not in the page before; an alarm that is there when the page is opened makes none.
 */
const key = "hub-bell";
const open = "[data-alarms-open] li.alarm[data-state='open']";

let known: Set<string> | undefined;
let unseen = false;
let audio: AudioContext | undefined;
const title = document.title;

function isOn(): boolean {
  try {
    return localStorage.getItem(key) === "on";
  } catch {
    return false;
  }
}

/** Two tones up, short: to be heard, not to startle. Browsers keep silent until somebody has clicked in the page. */
function ring(): void {
  audio ??= new AudioContext();
  if (audio.state !== "running") {
    void audio.resume();
    return;
  }
  const now = audio.currentTime;
  for (const [index, hertz] of [660, 880].entries()) {
    const tone = audio.createOscillator();
    const volume = audio.createGain();
    const at = now + index * 0.22;
    tone.frequency.value = hertz;
    volume.gain.setValueAtTime(0, at);
    volume.gain.linearRampToValueAtTime(0.25, at + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.001, at + 0.2);
    tone.connect(volume).connect(audio.destination);
    tone.start(at);
    tone.stop(at + 0.21);
  }
}

function look(): void {
  const shown = [...document.querySelectorAll<HTMLElement>(open)];
  const ids = new Set(shown.map((one) => one.dataset.alarm ?? ""));
  const fresh = known !== undefined && [...ids].some((id) => !known!.has(id));
  known = ids;
  if (fresh) {
    unseen = document.visibilityState === "hidden" || unseen;
    document.documentElement.dataset.rung = String(Number(document.documentElement.dataset.rung ?? 0) + (isOn() ? 1 : 0));
    if (isOn()) ring();
  }
  const waiting = shown.filter((one) => one.dataset.waiting === "true").length;
  document.title = `${unseen ? "● " : ""}${waiting > 0 ? `(${waiting}) ` : ""}${title}`;
}

function show(button: HTMLButtonElement): void {
  button.hidden = false;
  button.setAttribute("aria-pressed", String(isOn()));
  const text = button.querySelector("[data-bell-word]");
  if (text) text.textContent = word(isOn() ? "bell.on" : "bell.off");
}

export function startBell(): void {
  if (!document.querySelector("[data-alarms-open]")) return;
  for (const button of document.querySelectorAll<HTMLButtonElement>("button[data-bell]")) {
    show(button);
    button.addEventListener("click", () => {
      try {
        localStorage.setItem(key, isOn() ? "off" : "on");
      } catch {
        return;
      }
      show(button);
      if (isOn()) {
        // The click lets the browser sound, and the one who clicked hears what to expect.
        audio ??= new AudioContext();
        void audio.resume().then(ring);
      }
    });
  }
  document.addEventListener("hub:refreshed", look);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible" && unseen) {
      unseen = false;
      look();
    }
  });
  look();
}
