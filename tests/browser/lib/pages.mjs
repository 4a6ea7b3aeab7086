// What the flows touch on the pages, by `data-testid` (src/web/templates and src/web/assets/js). A changed page is
// followed here, once.

/** Where pages live. */
export const PATHS = {
  signIn: "/sign-in",
  password: "/password",
  capture: "/capture",
  receipts: "/receipts",
  review: "/review",
  visits: "/visits",
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

/** Adds a customer and a visit to them on the day (`YYYY-MM-DD`), as a rep does. */
export async function addVisit(page, customer, day) {
  await page.goto(PATHS.visits);
  await page.getByTestId("customer-add-open").click();
  await page.getByTestId("customer-name").fill(customer);
  await Promise.all([page.waitForEvent("load"), page.getByTestId("customer-add").click()]);
  await page.getByTestId("visit-add-open").click();
  await page.getByTestId("visit-customer").selectOption({ label: customer });
  await page.getByTestId("visit-on").fill(day);
  await Promise.all([page.waitForEvent("load"), page.getByTestId("visit-add").click()]);
}

/** A select one types into, by the test id of the select: what is typed into, and the choices shown. */
export function picker(page, testId) {
  const input = page.getByTestId(`${testId}-typed`);
  return { input, options: input.locator("xpath=..").getByRole("option") };
}

/**
 * Hands files in from the capture page, without a visit unless told otherwise. Resolves once all were read, to the rows on the page, newest
 * first; each has a link `upload-open` to its draft.
 */
export async function capture(page, files, readLimitMs, visit = "none") {
  await page.goto(PATHS.capture);
  await page.getByTestId("capture-visit").selectOption(visit);
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
