// What the flows touch on the pages, by `data-testid` (src/web/templates and src/web/assets/js). A changed page is
// followed here, once.

/** Where pages live. */
export const PATHS = {
  signIn: "/sign-in",
  password: "/password",
  capture: "/capture",
  receipts: "/receipts",
  review: "/review",
};

/** The password every flow's person chooses; long enough for the default policy. */
export const OWN_PASSWORD = "correct horse battery staple";

/** Signs in; resolves on the page that follows. */
export async function signIn(page, name, password) {
  await page.goto(PATHS.signIn);
  await page.getByTestId("signin-name").fill(name);
  await page.getByTestId("signin-password").fill(password);
  await clickAndLeave(page, page.getByTestId("signin-submit"));
}

/** Signs in with the one-time password and changes it, as the first page asks for. */
export async function signInFirst(page, { name, password }) {
  await signIn(page, name, password);
  await page.waitForURL((url) => url.pathname === PATHS.password);
  await page.getByTestId("password-current").fill(password);
  await page.getByTestId("password-new").fill(OWN_PASSWORD);
  await page.getByTestId("password-again").fill(OWN_PASSWORD);
  await clickAndLeave(page, page.getByTestId("password-submit"));
}

/**
 * Hands files in from the capture page, without a visit. Resolves once all were read, to the rows on the page, newest
 * first; each has a link `upload-open` to its draft.
 */
export async function capture(page, files, readLimitMs) {
  await page.goto(PATHS.capture);
  await page.getByTestId("capture-visit").selectOption("none");
  await page.getByTestId("capture-input").setInputFiles(files);
  const read = page.locator('[data-testid="upload"][data-state="read"]');
  await read.nth(files.length - 1).waitFor({ timeout: readLimitMs });
  return read;
}

/** The control of a field on a draft page; `key` as in the API (`total`, `merchant`, `category` …). */
export function field(page, key) {
  return page.getByTestId(`field-${key}`);
}

/** The box drawn on the picture around the words of a field. */
export function evidenceBox(page, key) {
  return page.locator(`polygon[data-box="${key}"]`);
}

/** Presses a draft page's action that leads on (`confirm`, `return`, `reject`) and resolves on the page that follows. */
export function act(page, action) {
  return clickAndLeave(page, page.getByTestId(`draft-${action}`));
}

/** The state a draft page shows, as in the API. */
export function draftState(page) {
  return page.locator(".draft-title [data-state]").first().getAttribute("data-state");
}

async function clickAndLeave(page, button) {
  const from = new URL(page.url()).pathname;
  await Promise.all([page.waitForURL((url) => url.pathname !== from), button.click()]);
}
