// Chromium as the tests use it, and what every page owes: nothing from elsewhere, no script errors, no sideways scrolling.
import assert from "node:assert/strict";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { chromium as executable, screenshotDirectory } from "./paths.mjs";

/** How long an element may take; recognition of a receipt has its own limit. */
const ELEMENT_LIMIT_MS = 15_000;

/** What a phone and a desktop show; the widths are those of the screenshots' names. */
export const SIZES = [
  { width: 390, height: 844 },
  { width: 1440, height: 900 },
];

/** The languages pages are written in, as a browser asks for them. */
export const LOCALES = ["en", "zh-CN"];

/** Starts Chromium without the requests it makes on its own. Resolves to a Playwright browser. */
export function startChromium() {
  return chromium.launch({
    executablePath: executable(),
    args: [
      "--headless=new",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      // A service worker needs a certificate the browser accepts; a context's own exception does not reach it.
      "--ignore-certificate-errors",
    ],
  });
}

/**
 * A person's browser: a context for `address` whose pages are watched. `problems` fills with whatever no page may do.
 */
export async function openSession(browser, address, { locale = "en", size = SIZES[1], storageState } = {}) {
  const context = await browser.newContext({
    baseURL: address,
    ignoreHTTPSErrors: true,
    locale,
    viewport: size,
    storageState,
  });
  context.setDefaultTimeout(ELEMENT_LIMIT_MS);
  const problems = [];
  context.on("request", (request) => {
    const url = new URL(request.url());
    if (/^https?:$/.test(url.protocol) && url.origin !== address) problems.push(`a request left for ${url}`);
  });
  context.on("response", (response) => {
    if (response.status() >= 500) problems.push(`${response.status()} from ${response.url()}`);
  });
  context.on("weberror", (error) => problems.push(`script error: ${error.error().message}`));
  context.on("console", (message) => {
    if (/content security policy/i.test(message.text())) problems.push(`refused by policy: ${message.text()}`);
  });
  return { context, problems, page: await context.newPage() };
}

/**
 * Takes pictures of `path` as the session's person sees it: phone and desktop, English and Chinese, to
 * `target/screenshots/<name>-<language>-<width>.png`. Fails when a page scrolls sideways or misbehaves. `prepare` does
 * something on the page first; then only what its window shows is taken.
 */
export async function screenshots(browser, session, address, name, path, prepare) {
  const storageState = await session.context.storageState();
  for (const locale of LOCALES) {
    for (const size of SIZES) {
      const view = await openSession(browser, address, { locale, size, storageState });
      try {
        await view.page.goto(path, { waitUntil: "load" });
        const language = locale.slice(0, 2);
        await speak(view.page, language);
        await view.page.evaluate(() => document.fonts.ready.then(() => true));
        const file = join(screenshotDirectory, `${name}-${language}-${size.width}.png`);
        await prepare?.(view.page);
        await view.page.screenshot({ path: file, fullPage: !prepare });
        const wide = await view.page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        assert.ok(wide <= 0, `${path} is ${wide} px wider than ${size.width} px in ${language}: see ${file}`);
        assert.deepEqual(view.problems, [], `${path} in ${language} at ${size.width} px`);
      } finally {
        await view.context.close();
      }
    }
  }
}

/** Changes the page's language with its own button, when the browser's wish alone was not followed. */
async function speak(page, language) {
  const spoken = () => page.evaluate(() => document.documentElement.lang);
  if ((await spoken()).startsWith(language)) return;
  // The button may be inside a closed menu, so it is pressed by script.
  const button = page.getByTestId(`language-${language}`).first();
  await Promise.all([page.waitForEvent("load"), button.evaluate((element) => element.click())]);
  assert.ok((await spoken()).startsWith(language), `${page.url()} speaks \`${await spoken()}\`, not ${language}`);
}
