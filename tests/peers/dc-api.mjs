// A login over the Digital Credentials API in headless Chromium with an empty profile. The browser's
// virtual wallet gives what the wallet that drives this script made of the request of the page.
//
//   LINK (the authorization request), CALLBACK (where the application takes people back), SHOTS
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const { LINK, CALLBACK, SHOTS } = process.env;
const say = (what) => console.log(JSON.stringify(what));
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const heard = async () => JSON.parse((await lines.next()).value);
const findings = [];
const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

/** A browser with an empty profile whose console is watched. */
async function person(blind) {
  const context = await browser.newContext({ locale: "en-GB" });
  context.setDefaultTimeout(180_000);
  if (blind) await context.addInitScript(() => delete window.DigitalCredential);
  const page = await context.newPage();
  page.on("console", (message) => message.type() === "error" && findings.push(message.text()));
  page.on("pageerror", (error) => findings.push(`${error}`));
  return { context, page };
}

async function shot(page, name) {
  if (!SHOTS) return;
  for (const width of [360, 1280]) {
    for (const colorScheme of ["light", "dark"]) {
      await page.setViewportSize({ width, height: width < 500 ? 740 : 900 });
      await page.emulateMedia({ colorScheme });
      await page.screenshot({ path: `${SHOTS}/${name}-${width}-${colorScheme}.png`, fullPage: true });
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      if (overflow > 0) findings.push(`${name} at ${width}: scrolls sideways by ${overflow} px`);
    }
  }
}

async function story() {
  // A browser without the API has the page as it always was.
  const old = await person(true);
  await old.page.goto(LINK);
  await old.page.waitForLoadState("load");
  say({ step: "without", button: await old.page.isVisible("#use-card"), link: await old.page.isVisible("#show-card") });
  await old.context.close();

  const { context, page } = await person(false);
  const wallet = await context.newCDPSession(page);
  const behave = (behaviour) => wallet.send("DigitalCredentials.setVirtualWalletBehavior", behaviour);
  const isQuestion = (response) => response.url().endsWith("/dc-api") && response.request().method() === "POST";
  const [response] = await Promise.all([page.waitForResponse(isQuestion), page.goto(LINK)]);
  const { requests } = await response.json();
  await page.waitForSelector("#use-card:not([hidden])");
  await shot(page, "login-with-api");
  say({ step: "asked", origin: new URL(page.url()).origin, requests });

  // The person closes the dialog: nothing has changed, and the other ways are there.
  await behave({ action: "decline" });
  await page.click("#use-card");
  await page.waitForSelector("#use-card-problem:not([hidden])");
  await shot(page, "login-with-api-declined");
  say({ step: "declined", said: await page.textContent("#use-card-problem"), again: await page.isEnabled("#use-card"), link: await page.isVisible("#show-card") });
  await Promise.all([page.waitForNavigation(), page.click("#other-device")]);
  // No other page may ask, whatever runs in it.
  const elsewhere = await page.evaluate(async () => {
    const request = { protocol: "openid4vp-v1-signed", data: { request: "e30" } };
    return navigator.credentials.get({ digital: { requests: [request] } }).then(() => "asked", (error) => error.name);
  });
  say({ step: "other device", code: await page.isVisible(".qr svg"), elsewhere });
  // The same login goes on, with the same question.
  const [second] = await Promise.all([page.waitForResponse(isQuestion), page.goBack()]);
  const again = await second.json();
  await page.waitForSelector("#use-card:not([hidden])");
  say({ step: "asked again", requests: again.requests });

  await behave({ action: "respond", ...(await heard()) });
  // The way back takes its time: the page must not come back to itself meanwhile.
  let ways = 0;
  await page.route(/\/login\/[^/]+$/, async (route) => {
    ways += 1;
    await new Promise((done) => setTimeout(done, 4500));
    await route.continue().catch(() => {});
  });
  const [back] = await Promise.all([page.waitForRequest((request) => request.url().startsWith(CALLBACK)), page.click("#use-card")]);
  say({ step: "back", url: back.url(), ways });
}

try {
  await story();
  say({ step: "end", findings });
} catch (error) {
  say({ error: `${error}`, findings });
  process.exitCode = 1;
} finally {
  await browser.close();
  process.exit();
}
