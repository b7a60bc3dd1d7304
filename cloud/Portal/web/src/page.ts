/** What the server tells the page's scripts, in a JSON block: language, texts, where things are. */
export interface PageFacts {
  /** BCP 47 tag, `pt-PT` or `en-GB`. */
  language: string;
  /** Server time when the page was rendered, milliseconds since the epoch. */
  now: number;
  /** Address of the event stream. */
  live: string;
  /** Address that answers 204 as long as the hub is there. */
  pulse: string;
  /** Folder of the built files, with a slash at the end. */
  assets: string;
  /** Quantities that the equipment measures of itself. */
  equipment: string[];
  /** Texts in the page's language. */
  words: Record<string, string>;
}

function read(): PageFacts {
  const block = document.getElementById("hub-page");
  if (!block?.textContent) throw new Error("The page has no facts block.");
  return JSON.parse(block.textContent) as PageFacts;
}

export const page: PageFacts = read();

const skew = page.now - Date.now();

/** The hub's time now, milliseconds: the visitor's clock may be wrong, ages must not be. */
export function hubNow(): number {
  return Date.now() + skew;
}

/** A text in the page's language; `{0}` is replaced. */
export function word(key: string, ...values: (string | number)[]): string {
  const text = page.words[key];
  if (text === undefined) throw new Error(`No text for ${key}.`);
  return values.reduce<string>((sofar, value, index) => sofar.replace(`{${index}}`, String(value)), text);
}

const formats = new Map<number, Intl.NumberFormat>();

/** A number with a fixed count of decimals, written as the page's language writes it. */
export function figure(value: number, decimals: number): string {
  let format = formats.get(decimals);
  if (!format) {
    format = new Intl.NumberFormat(page.language, { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
    formats.set(decimals, format);
  }
  return format.format(value);
}

const flags: [number, string][] = [
  [1, "warmingup"], [2, "outofrange"], [4, "stuck"], [8, "saturated"], [16, "suspecthumidity"],
  [32, "calibrationdue"], [64, "clockuncertain"], [128, "incomplete"], [256, "underrange"],
  [512, "step"], [1024, "spike"], [2048, "drift"],
];

/** Quality flags as the stream states them (a number, a name, or a list of names) as bits. */
export function qualityBits(stated: unknown): number {
  if (typeof stated === "number") return stated;
  const names = Array.isArray(stated) ? stated.map(String) : typeof stated === "string" ? stated.split(",") : [];
  return names
    .map((name) => name.toLowerCase().replace(/[^a-z]/g, ""))
    .reduce((bits, name) => bits | (flags.find((flag) => flag[1] === name)?.[0] ?? 0), 0);
}

/** Quality flags in words; empty when nothing is known against the value. */
export function qualityWords(bits: number): string {
  return flags.filter(([bit]) => (bits & bit) !== 0).map(([bit]) => word(`quality.${bit}`)).join(", ");
}
