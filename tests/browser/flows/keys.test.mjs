// A reviewer's keys: what is missing is asked for at once, visits are found by typing, an input method's Enter confirms nothing.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openSession, screenshots, SIZES, startChromium } from "../lib/browser.mjs";
import { addVisit, capture, draftState, field, PATHS, picker, signInFirst } from "../lib/pages.mjs";
import { startVouch } from "../lib/vouch.mjs";

/** Text is read in milliseconds; a debug build on a loaded machine takes longer. */
const READ_LIMIT_MS = 60_000;
// The receipts are of 19 November: the visit of the day before is the nearest, and not the latest.
const VISITS = [["Nordhafen Logistik", "2026-11-18"], ["华东示例医院", "2026-11-24"], ["重庆样例仪器厂", "2026-11-25"]];

const slip = (shop, total) => ({
  name: `${shop}.txt`,
  mimeType: "text/plain",
  buffer: Buffer.from(`${shop}\nDate: 19/11/2026\nCoffee        4.50\nTOTAL EUR    ${total}\n`),
});

let vouch, browser, person, page;
before(async () => {
  vouch = await startVouch();
  browser = await startChromium();
  person = await openSession(browser, vouch.address);
  page = person.page;
  await signInFirst(page, vouch);
  for (const [customer, day] of VISITS) await addVisit(page, customer, day);
  await capture(page, [slip("HARBOUR CAFE", "12.80"), slip("STATION KIOSK", "7.10"), slip("GARDEN INN", "31.40")], READ_LIMIT_MS, "");
});
after(async () => {
  await browser?.close();
  await vouch?.stop();
});

/** What the page asks the server to change while `act` runs, and until it is quiet. */
async function changes(act) {
  const seen = [];
  const note = (request) => { if (request.method() !== "GET") seen.push(`${request.method()} ${new URL(request.url()).pathname}`); };
  page.on("request", note);
  await act();
  await page.waitForLoadState("networkidle");
  page.off("request", note);
  return seen;
}

/** Opens the first draft of the queue by keys; resolves once its keys work. */
async function begin() {
  await page.goto(PATHS.review);
  await page.keyboard.press("Enter");
  await ready();
}

const ready = () => page.locator('[data-testid="draft-form"][data-ready="true"]').waitFor();
const focused = () => page.evaluate(() => document.activeElement.dataset.testid);

/** Whom the page says the draft just `state` was paid to; its words may be in either language. */
const decided = async (state) => (await page.locator(`[data-testid="decided"][data-state="${state}"]`).innerText()).split(/[:：]\s*/)[1];

/** Enter as an input method sends it while characters are chosen. */
async function composingEnter(keyboard) {
  const enter = { key: "Enter", code: "Enter", windowsVirtualKeyCode: 229, nativeVirtualKeyCode: 229 };
  await keyboard.send("Input.dispatchKeyEvent", { type: "rawKeyDown", ...enter });
  await keyboard.send("Input.dispatchKeyEvent", { type: "keyUp", ...enter });
}

test("the mark of a field says which step needs it", async () => {
  await begin();
  const title = (key) => page.getByTestId(`row-${key}`).locator(".required").getAttribute("title");
  assert.match(await title("total"), /submitted/);
  assert.match(await title("category"), /confirmed/);
  assert.match(await page.locator("#row-visit .required").getAttribute("title"), /confirmed/);
});

test("on a phone no field that gets the focus is left under the picture or the buttons", async () => {
  const path = new URL(page.url()).pathname;
  const phone = await openSession(browser, vouch.address, { size: SIZES[0], storageState: await person.context.storageState() });
  await phone.page.goto(path);
  const hidden = await phone.page.evaluate(() => {
    const controls = [...document.querySelectorAll(".f")].map((row) => row.querySelector("[role=combobox]") ?? row.querySelector("input, select"));
    const isSeen = (control) => {
      control.focus();
      const { left, top, width, height } = control.getBoundingClientRect();
      return document.elementFromPoint(left + width / 2, top + height / 2) === control;
    };
    return [...controls, ...controls.reverse()].filter((control) => !isSeen(control)).map((control) => control.id);
  });
  assert.deepEqual(hidden, []);
  // Nor does the page move when something is said about saving.
  const top = () => phone.page.locator("h1").evaluate((title) => title.getBoundingClientRect().top + scrollY);
  const before = await top();
  await field(phone.page, "merchant").fill("Elsewhere");
  assert.notEqual(await phone.page.locator("#saved").innerText(), "");
  assert.equal(await top(), before);
  await phone.context.close();
});

test("Enter on a draft without a visit asks nobody: it goes to the visit and says why", async () => {
  await begin();
  const asked = await changes(() => page.keyboard.press("Enter"));
  assert.deepEqual(asked, []);
  assert.equal(await focused(), "field-visit-typed");
  const why = page.getByTestId("asked-visit");
  assert.match(await why.innerText(), /visit/i);
  assert.ok(await why.evaluate((words) => {
    const { left, top, width, height } = words.getBoundingClientRect();
    return words.contains(document.elementFromPoint(left + width / 2, top + height / 2));
  }), "nothing lies over the words");
  const offered = await picker(page, "field-visit").options.allInnerTexts();
  assert.deepEqual(offered.map((text) => text.split(" · ")[0]).slice(1), ["No visit", "Nordhafen Logistik", "重庆样例仪器厂", "华东示例医院"]);
  await screenshots(browser, person, vouch.address, "draft-asked", new URL(page.url()).pathname, async (view) => {
    await view.locator('[data-testid="draft-form"][data-ready="true"]').waitFor();
    await view.keyboard.press("Enter");
    await view.getByTestId("asked-visit").waitFor();
  });
});

test("an Enter that ends a composition takes nothing, confirms nothing; the characters find the visit", async () => {
  const path = new URL(page.url()).pathname;
  const keyboard = await person.context.newCDPSession(page);
  const made = await changes(async () => {
    await keyboard.send("Input.imeSetComposition", { text: "hua'dong", selectionStart: 8, selectionEnd: 8 });
    await picker(page, "field-visit").options.first().waitFor();
    await composingEnter(keyboard);
  });
  assert.deepEqual(made, []);
  assert.equal(new URL(page.url()).pathname, path);
  assert.equal(await field(page, "visit").inputValue(), "", "the Enter was the input method's");
  await keyboard.send("Input.insertText", { text: "华东" });
  assert.deepEqual(await picker(page, "field-visit").options.allInnerTexts(), ["华东示例医院 · 2026-11-24 · Introduction"]);
  // Also in a field of text: the merchant in Chinese.
  await field(page, "merchant").focus();
  await keyboard.send("Input.imeSetComposition", { text: "mao", selectionStart: 3, selectionEnd: 3 });
  assert.deepEqual(await changes(() => composingEnter(keyboard)), []);
  assert.equal(await focused(), "field-merchant", "the field is not left");
  await keyboard.send("Input.insertText", { text: "猫咖啡" });
  assert.equal(await field(page, "merchant").inputValue(), "猫咖啡");
});

test("a visit is found by its pinyin; Enter takes it, and the next Enter confirms", async () => {
  await picker(page, "field-visit").input.fill("cqyl");
  await page.keyboard.press("Enter");
  assert.match(await picker(page, "field-visit").input.inputValue(), /^重庆样例仪器厂/);
  const from = page.url();
  await page.keyboard.press("Enter");
  await page.waitForURL((url) => url.href !== from);
  await ready();
  assert.equal(await decided("confirmed"), "猫咖啡");
  // And back to it by a key.
  await page.keyboard.press("u");
  await page.waitForURL((url) => url.href === from);
  assert.equal(await draftState(page), "confirmed");
  assert.match(await page.locator("#field-visit option:checked").innerText(), /^重庆样例仪器厂/);
});

test("what nothing fits is not taken, and Escape leaves the choice as it was", async () => {
  await begin();
  await page.keyboard.press("Enter");
  const visit = picker(page, "field-visit");
  await visit.input.fill("zzzz");
  assert.deepEqual(await changes(() => page.keyboard.press("Enter")), []);
  assert.equal(await field(page, "visit").inputValue(), "");
  await visit.input.fill("nordh");
  await page.keyboard.press("Escape");
  assert.equal(await field(page, "visit").inputValue(), "");
  // By arrows: no visit comes first.
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  assert.equal(await field(page, "visit").inputValue(), "none");
});

test("on a desktop the picture and the fields scroll, the page does not", async () => {
  const [long, high] = await page.evaluate(() => [document.documentElement.scrollHeight, innerHeight]);
  assert.ok(long <= high, `the page is ${long} px long in a window of ${high} px`);
});

test("saving leaves the focus where it was and the flag is gone", async () => {
  await page.getByTestId("draft-save").focus();
  await page.keyboard.press("Enter");
  await page.locator("#row-visit.decided").waitFor();
  await page.locator('[data-testid="draft-save"]:enabled').waitFor();
  assert.equal(await focused(), "draft-save");
  assert.equal(await page.locator('[data-flag="no_visit"]').count(), 0);
});

test("the sheet of reasons says which of its buttons the keys press", async () => {
  const name = await page.locator("h1").innerText();
  await page.locator("h1").click();
  await page.keyboard.press("x");
  assert.deepEqual(await page.locator("#decide .row kbd:visible").count(), 1);
  assert.match(await page.getByTestId("draft-reject").innerText(), /Ctrl Enter/);
  await page.keyboard.press("Alt+Digit5");
  const from = page.url();
  await page.keyboard.press("Control+Enter");
  await page.waitForURL((url) => url.href !== from);
  assert.equal(await decided("rejected"), name);
  assert.deepEqual(person.problems, []);
});
