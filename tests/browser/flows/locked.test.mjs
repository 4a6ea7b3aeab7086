// A document under a password: it waits, a wrong password leaves it waiting, and the right one makes it a draft.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openSession, screenshots, startChromium } from "../lib/browser.mjs";
import { field, PATHS, signInFirst } from "../lib/pages.mjs";
import { startVouch } from "../lib/vouch.mjs";
import { lockedZip } from "../lib/zip.mjs";

/** Text is read in milliseconds; a debug build on a loaded machine takes longer. */
const READ_LIMIT_MS = 60_000;
/** Between two looks at a list that does not change by itself. */
const LOOK_MS = 300;
/** Milliseconds after which the list looks again (`receipts.js`). */
const RESTING_MS = 30_000;
const PASSWORD = "s3cret";
const CAFE = "HARBOUR CAFE\nDate: 19/11/2026\nCoffee        4.50\nSandwich      8.30\nTOTAL EUR    12.80\n";

let vouch, browser, person;
before(async () => {
  vouch = await startVouch();
  browser = await startChromium();
  person = await openSession(browser, vouch.address);
  await signInFirst(person.page, vouch);
});
after(async () => {
  await browser?.close();
  await vouch?.stop();
});

/** Loads the list of receipts until it shows the element. */
async function untilListed(locator) {
  const until = Date.now() + READ_LIMIT_MS;
  for (;;) {
    await person.page.goto(PATHS.receipts);
    if ((await locator.count()) > 0) return;
    assert.ok(Date.now() < until, `the list never showed it:\n${await person.page.locator("main").innerText()}`);
    await person.page.waitForTimeout(LOOK_MS);
  }
}

/** Types a password on the card of what waits and sends it. */
async function unlock(password) {
  await person.page.getByTestId("capture-password").fill(password);
  await Promise.all([person.page.waitForEvent("load"), person.page.getByTestId("capture-unlock").click()]);
}

test("an archive under a password says so where it was handed in, and waits in the list", async () => {
  await person.page.goto(PATHS.capture);
  await person.page.getByTestId("capture-visit").selectOption("none");
  const archive = { name: "trip.zip", mimeType: "application/zip", buffer: lockedZip("cafe.txt", Buffer.from(CAFE), PASSWORD) };
  await person.page.getByTestId("capture-input").setInputFiles([archive]);
  const row = person.page.locator('[data-testid="upload"][data-state="failed"]');
  await row.waitFor({ timeout: READ_LIMIT_MS });
  assert.match(await row.innerText(), /password/i);
  await row.getByRole("link").click();
  await person.page.waitForURL((url) => url.pathname === PATHS.receipts);
  await person.page.getByTestId("capture-unlock").waitFor();
  await screenshots(browser, person, vouch.address, "locked", PATHS.receipts);
});

test("the list looks again by itself, but never while somebody types a password", async () => {
  // A page of its own: its clock is wound by hand.
  const page = await person.context.newPage();
  await page.clock.install();
  await page.goto(PATHS.receipts);
  const password = page.getByTestId("capture-password");
  await password.fill("half-typ");
  await page.locator("h1").first().click();
  const isLook = (request) => new URL(request.url()).pathname === PATHS.receipts;
  let looked = 0;
  page.on("request", (request) => { if (isLook(request)) looked += 1; });
  await page.clock.runFor(RESTING_MS + 1_000);
  assert.equal(await password.inputValue(), "half-typ", "what was typed is still there");
  assert.equal(looked, 0);
  await password.fill("");
  await page.locator("h1").first().click();
  await Promise.all([page.waitForRequest(isLook), page.clock.runFor(RESTING_MS + 1_000)]);
  await page.close();
});

test("a wrong password leaves it waiting; the right one makes it a draft, and stands nowhere afterwards", async () => {
  await unlock("guess-17");
  await untilListed(person.page.getByTestId("capture-unlock"));
  await unlock(PASSWORD);
  const draft = person.page.locator('a[href^="/drafts/"]');
  await untilListed(draft);
  await Promise.all([person.page.waitForEvent("load"), draft.first().click()]);
  assert.equal(Number(await field(person.page, "total").inputValue()), 12.8);
  for (const password of [PASSWORD, "guess-17"]) {
    assert.ok(!(await person.page.content()).includes(password), "a password is on the page");
    assert.ok(!vouch.log().includes(password), "a password is in the log");
  }
  assert.deepEqual(person.problems, []);
});
