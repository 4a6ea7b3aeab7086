// Where things are, from the repository's top level.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const top = fileURLToPath(new URL("../../../", import.meta.url));

/** The program under test; `scripts/browser-test.sh` builds it. */
export const binary = process.env.VOUCH_BINARY ?? join(top, "target/debug/vouch");

/** Screenshots of every flow, for people to look at. */
export const screenshotDirectory = join(top, "target/screenshots");

/** Chromium as the distribution installs it; Playwright never downloads one. */
export function chromium() {
  const places = [
    process.env.VOUCH_CHROMIUM,
    "/usr/bin/chromium",
    "/usr/bin/chromium-browser",
    "/snap/bin/chromium",
    "/usr/bin/google-chrome",
  ];
  const found = places.find((place) => place && existsSync(place));
  if (!found) throw new Error("no Chromium was found: scripts/install-deps.sh test installs it, or set VOUCH_CHROMIUM");
  return found;
}

/** The absolute file name of one of the project's own invoices as data. */
export function einvoice(name) {
  return join(top, "fixtures/einvoices", name);
}

/**
 * Pictures of the project's own synthetic receipts that have expected values beside them, in a stable order:
 * `{ id, files, expected }` with absolute file names.
 */
export function syntheticReceipts() {
  const directory = join(top, "fixtures/receipts");
  const receipts = [];
  for (const id of existsSync(directory) ? readdirSync(directory).sort() : []) {
    const expected = join(directory, id, "expected.json");
    if (!existsSync(expected)) continue;
    const files = readdirSync(join(directory, id)).filter((name) => /\.(jpe?g|png|webp|tiff?)$/i.test(name));
    if (files.length > 0) receipts.push({ id, files: files.sort().map((name) => join(directory, id, name)), expected });
  }
  if (receipts.length === 0) throw new Error(`no synthetic receipt with a picture and expected.json in ${directory}`);
  return receipts;
}
