/** The part of the package `qrcode` (1.5.4) that makes the matrix; it brings no types of its own. */
declare module "qrcode/lib/core/qrcode.js" {
  export function create(text: string, options: { errorCorrectionLevel: "L" | "M" | "Q" | "H" }): { modules: { size: number; data: Uint8Array } };
}
