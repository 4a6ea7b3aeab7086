// The first day: sign in, hand a receipt in, see what was read, correct it, confirm it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { openSession, screenshots, startChromium } from "../lib/browser.mjs";
import { act, capture, field, PATHS, signIn, signInFirst, OWN_PASSWORD, TEST_IDS } from "../lib/pages.mjs";
import { syntheticReceipts } from "../lib/paths.mjs";
import { startVouch } from "../lib/vouch.mjs";

/** A debug build reads a 12-megapixel picture in a few seconds; a loaded machine takes longer. */
const READ_LIMIT_MS = 90_000;

const receipt = syntheticReceipts()[0];
const expected = JSON.parse(readFileSync(receipt.expected, "utf8"));

let vouch, browser, person;
before(async () => {
  vouch = await startVouch();
  browser = await startChromium();
  person = await openSession(browser, vouch.address);
});
after(async () => {
  await browser?.close();
  await vouch?.stop();
});

test("the one-time password lets the first account in once, and is then changed", async () => {
  const stranger = await openSession(browser, vouch.address);
  await screenshots(browser, stranger, vouch.address, "sign-in", PATHS.signIn);
  await stranger.page.goto(PATHS.queue);
  assert.equal(new URL(stranger.page.url()).pathname, PATHS.signIn, "a stranger is asked to sign in");

  await signInFirst(person.page, vouch);
  await signIn(stranger.page, vouch.name, OWN_PASSWORD);
  await stranger.context.close();
});

test("a receipt handed in on the capture page becomes a draft with what the paper says", async () => {
  const results = await capture(person.page, receipt.files.slice(0, 1), READ_LIMIT_MS);
  await screenshots(browser, person, vouch.address, "capture", PATHS.capture);
  await screenshots(browser, person, vouch.address, "receipts", PATHS.receipts);
  const link = results.first().locator('a[href*="/drafts/"]').first();
  await link.click();
  await person.page.waitForURL("**/drafts/*");
  assert.equal(Number(await field(person.page, "total").inputValue()), Number(expected.total));
  await field(person.page, "total").focus();
  await person.page.getByTestId(TEST_IDS.evidenceBox).first().waitFor();
  await screenshots(browser, person, vouch.address, "draft", new URL(person.page.url()).pathname);
});

test("a reviewer corrects the merchant and confirms, and the draft is an expense", async () => {
  const merchant = "Vouched Cantina";
  await person.page.goto(PATHS.queue);
  await screenshots(browser, person, vouch.address, "queue", PATHS.queue);
  const row = person.page.getByTestId(TEST_IDS.queueRow).first();
  const path = await row.locator('a[href*="/drafts/"]').first().getAttribute("href");
  await person.page.goto(path);
  await field(person.page, "merchant").fill(merchant);
  await act(person.page, "confirm");
  await person.page.waitForURL((url) => !path.startsWith(url.pathname));

  await person.page.goto(path);
  const state = person.page.getByTestId(TEST_IDS.draftState).first();
  assert.equal(await state.getAttribute("data-state"), "confirmed");
  assert.ok((await person.page.content()).includes(merchant), "the correction was kept");
  await screenshots(browser, person, vouch.address, "confirmed", path);
  assert.deepEqual(person.problems, []);
});
