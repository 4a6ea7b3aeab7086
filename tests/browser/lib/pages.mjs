// What the flows touch on the pages. Form controls are found by the names they post (the pages work without scripts,
// so those names are a contract); everything else by `data-testid`. A changed page is followed here, once.

/** Where pages live. */
export const PATHS = {
  signIn: "/sign-in",
  password: "/password",
  capture: "/capture",
  receipts: "/receipts",
  queue: "/queue",
  draft: (id) => `/drafts/${id}`,
};

/** Elements without a form name of their own. */
export const TEST_IDS = {
  /** One per file handed in; `data-state` is the capture's state, and it links to the draft once there is one. */
  captureResult: "capture-result",
  /** One per draft in the reviewers' queue; contains the link to the draft page. */
  queueRow: "queue-row",
  /** The state word of a draft page, with the code in `data-state`. */
  draftState: "draft-state",
  /** The box drawn on the picture around the words of the field in focus. */
  evidenceBox: "evidence-box",
};

/** The password every flow's person chooses; long enough for the default policy. */
export const OWN_PASSWORD = "correct horse battery staple";

/** Signs in; resolves on the page that follows. */
export async function signIn(page, name, password) {
  await page.goto(PATHS.signIn);
  await page.locator('input[name="name"]').fill(name);
  await page.locator('input[name="password"]').fill(password);
  await submitAndLeave(page, page.locator('form:has(input[name="password"]) button[type="submit"]'), PATHS.signIn);
}

/** Signs in with the one-time password and changes it, as the first page asks for. */
export async function signInFirst(page, { name, password }) {
  await signIn(page, name, password);
  await page.waitForURL(`**${PATHS.password}*`);
  await page.locator('input[name="current"]').fill(password);
  await page.locator('input[name="new"]').fill(OWN_PASSWORD);
  await page.locator('input[name="again"]').fill(OWN_PASSWORD);
  await submitAndLeave(page, page.locator('form:has(input[name="again"]) button[type="submit"]'), PATHS.password);
}

/** Hands files in from the capture page; resolves to the results on the page, one per file, once all were read. */
export async function capture(page, files, readLimitMs) {
  await page.goto(PATHS.capture);
  await page.locator('input[type="file"][name="files"]').first().setInputFiles(files);
  const results = page.getByTestId(TEST_IDS.captureResult);
  await results.nth(files.length - 1).waitFor();
  const read = page.locator(`[data-testid="${TEST_IDS.captureResult}"][data-state="read"]`);
  await read.nth(files.length - 1).waitFor({ timeout: readLimitMs });
  return read;
}

/** What the field of a draft page shows; `key` as in the API (`total`, `merchant`, `date` …). */
export function field(page, key) {
  return page.locator(`form :is(input, select)[name="${key}"]`).first();
}

/** Presses one of the draft page's actions: `save`, `confirm`, `return`, `reject`, `submit` … */
export function act(page, action) {
  return page.locator(`button[name="action"][value="${action}"]`).first().click();
}

async function submitAndLeave(page, button, path) {
  await Promise.all([page.waitForURL((url) => url.pathname !== path), button.first().click()]);
}
