// The first day: sign in, hand a receipt in, see what was read, correct it, confirm it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { openSession, screenshots, startChromium } from "../lib/browser.mjs";
import { act, capture, draftState, evidenceBox, field, OWN_PASSWORD, PATHS, signIn, signInFirst } from "../lib/pages.mjs";
import { syntheticReceipts } from "../lib/paths.mjs";
import { startVouch } from "../lib/vouch.mjs";

/** A debug build reads a clean picture in a second or two; a loaded machine takes longer. */
const READ_LIMIT_MS = 90_000;

// The first one is a clean print: this flow is about the pages, not about how hard a photo may be.
const receipt = syntheticReceipts()[0];
const expected = JSON.parse(readFileSync(receipt.expected, "utf8"));
const CORRECTED_MERCHANT = "Vouched Cantina";

let vouch, browser, person, draftPath;
before(async () => {
  vouch = await startVouch();
  browser = await startChromium();
  person = await openSession(browser, vouch.address);
});
after(async () => {
  await browser?.close();
  await vouch?.stop();
});

test("a stranger is asked to sign in; the one-time password works once and is then changed", async () => {
  const stranger = await openSession(browser, vouch.address);
  await stranger.page.goto(PATHS.review);
  assert.equal(new URL(stranger.page.url()).pathname, PATHS.signIn);
  await screenshots(browser, stranger, vouch.address, "sign-in", PATHS.signIn);

  await signInFirst(person.page, vouch);
  await signIn(stranger.page, vouch.name, OWN_PASSWORD);
  await stranger.context.close();
});

test("a receipt handed in on the capture page becomes a draft that shows where each value comes from", async () => {
  const uploads = await capture(person.page, receipt.files.slice(0, 1), READ_LIMIT_MS);
  draftPath = await uploads.first().getByTestId("upload-open").getAttribute("href");
  await screenshots(browser, person, vouch.address, "capture", PATHS.capture);
  await screenshots(browser, person, vouch.address, "receipts", PATHS.receipts);

  await person.page.goto(draftPath);
  assert.equal(Number(await field(person.page, "total").inputValue()), Number(expected.total));
  await field(person.page, "total").focus();
  await evidenceBox(person.page, "total").first().waitFor();
});

test("a reviewer finds it in the queue, corrects the merchant, confirms, and it is confirmed", async () => {
  await person.page.goto(PATHS.review);
  await person.page.getByTestId("queue-row").first().waitFor();
  await screenshots(browser, person, vouch.address, "review", PATHS.review);
  await screenshots(browser, person, vouch.address, "draft", draftPath);

  await person.page.getByTestId("queue-open").first().click();
  await person.page.waitForURL((url) => url.pathname === draftPath);
  // By keys alone: a reason is chosen and left again, and the other keys work from where that leaves one.
  await person.page.keyboard.press("r");
  await person.page.keyboard.press("Alt+Digit2");
  assert.notEqual(await person.page.getByTestId("draft-reason-text").inputValue(), "");
  await person.page.keyboard.press("Escape");
  await person.page.keyboard.press("e");
  await person.page.locator(".f input:focus, .f select:focus").waitFor();
  await field(person.page, "merchant").fill(CORRECTED_MERCHANT);
  await act(person.page, "confirm");

  await person.page.goto(draftPath);
  assert.equal(await draftState(person.page), "confirmed");
  assert.equal(await field(person.page, "merchant").inputValue(), CORRECTED_MERCHANT);
  await screenshots(browser, person, vouch.address, "confirmed", draftPath);
  assert.deepEqual(person.problems, []);
});
