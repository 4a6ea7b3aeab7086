// Papers of one expense: a hotel's folio is proposed beside its invoice, the reviewer says no, takes it back, and attaches it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { openSession, screenshots, startChromium } from "../lib/browser.mjs";
import { capture, draftState, field, signInFirst } from "../lib/pages.mjs";
import { einvoice } from "../lib/paths.mjs";
import { startVouch } from "../lib/vouch.mjs";

/** Text and XML are read in milliseconds; a debug build on a loaded machine takes longer. */
const READ_LIMIT_MS = 60_000;

// What the reception prints: another name of the house and the day of arrival.
const FOLIO = [
  "广州示例酒店",
  "宾客账单 GUEST FOLIO",
  "姓名：李薇   房号：1208",
  "入住日期：2026-03-03   离店日期：2026-03-05",
  "日期 项目 金额",
  "2026-03-03 房费 600.00",
  "2026-03-04 房费 600.00",
  "合计 1200.00",
  "谢谢惠顾",
].join("\n");

let vouch, browser, person, invoicePath, folioPath;
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

/** Hands one document in; the path of its draft. */
async function handIn(name, mimeType, buffer) {
  const uploads = await capture(person.page, [{ name, mimeType, buffer }], READ_LIMIT_MS);
  return uploads.first().getByTestId("upload-open").getAttribute("href");
}

/** Presses a button that posts a form and resolves when the page that follows is there. */
async function press(testId) {
  await Promise.all([person.page.waitForEvent("load"), person.page.getByTestId(testId).click()]);
}

const shown = (testId) => person.page.getByTestId(testId).count();

test("the folio and the invoice of one stay name each other, with the reason and what can be done", async () => {
  invoicePath = await handIn("fapiao.xml", "application/xml", readFileSync(einvoice("digital-special.xml")));
  folioPath = await handIn("folio.txt", "text/plain", Buffer.from(FOLIO, "utf8"));
  for (const [own, other] of [[invoicePath, folioPath], [folioPath, invoicePath]]) {
    await person.page.goto(own);
    const proposal = person.page.getByTestId("finding-same_expense");
    assert.match(await proposal.innerText(), /slip and its invoice/);
    assert.equal(await proposal.getByRole("link").getAttribute("href"), other);
    assert.deepEqual([await shown("attach"), await shown("keep-apart")], [1, 1]);
  }
  await screenshots(browser, person, vouch.address, "papers-proposed", invoicePath);
});

test("a reviewer who says that they are two expenses is not asked again, and can take it back", async () => {
  // From a filtered queue: the answer leads back into it.
  await person.page.goto(`${invoicePath}?text=1200`);
  await press("keep-apart");
  assert.equal(new URL(person.page.url()).search, "?text=1200");
  for (const path of [invoicePath, folioPath]) {
    await person.page.goto(path);
    assert.deepEqual([await shown("finding-kept_apart"), await shown("finding-same_expense")], [1, 0], path);
  }
  await screenshots(browser, person, vouch.address, "papers-apart", invoicePath);
  await press("propose-again");
  assert.deepEqual([await shown("finding-kept_apart"), await shown("finding-same_expense")], [0, 1]);
});

test("one press attaches the folio: it lies with the invoice, and the stay is counted once", async () => {
  await person.page.goto(`${folioPath}?text=1200`);
  await press("attach");
  assert.equal(new URL(person.page.url()).search, "?text=1200");
  assert.equal(new URL(person.page.url()).pathname, invoicePath, "the invoice leads, from whichever side it was pressed");
  const documents = person.page.getByTestId("draft-documents").getByRole("listitem");
  assert.equal(await documents.count(), 2);
  assert.equal(await shown("finding-same_expense"), 0);
  assert.equal(Number(await field(person.page, "total").inputValue()), 1200);
  await screenshots(browser, person, vouch.address, "papers-attached", invoicePath);

  await person.page.goto(folioPath);
  assert.equal(await draftState(person.page), "merged");
  assert.deepEqual(person.problems, []);
});
