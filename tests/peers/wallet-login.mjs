// The page of a business in headless Chromium, with `<wallet-login>` of a login service at another
// origin, by keyboard alone. Says a line of JSON for each step and waits for a line where it needs one.
//
//   BUSINESS, ISSUER, COMPONENT (the file, to import it where there is no DOM)
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const { BUSINESS, ISSUER, COMPONENT } = process.env;
const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const say = (step) => console.log(JSON.stringify(step));
const hear = async () => (await lines.next()).value;

const { WalletLogin } = await import(pathToFileURL(COMPONENT).href);
say({ step: "imported without a DOM", is: typeof WalletLogin });

const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
const context = await browser.newContext({ locale: "en-GB" });
context.setDefaultTimeout(120_000);
const troubles = [];
context.on("page", (page) => {
  page.on("pageerror", (error) => troubles.push(`${error}`));
  page.on("console", (message) => message.type() === "error" && page.url().startsWith(BUSINESS) && troubles.push(message.text()));
});
let page = await context.newPage();

/** What the page was told: `success` or `error` with its details. */
async function told(page) {
  await page.waitForSelector("#told[data-event]");
  const told = page.locator("#told");
  return { event: await told.getAttribute("data-event"), detail: JSON.parse(await told.textContent()), url: page.url() };
}

/** Begins a login with the keyboard, up to the page that asks for a card. */
async function begin() {
  await page.goto(`${BUSINESS}/`);
  await page.waitForSelector("wallet-login button");
  await page.keyboard.press("Tab");
  const focused = await page.evaluate(() => document.activeElement.localName);
  await Promise.all([page.waitForURL(`${ISSUER}/login/**`), page.keyboard.press("Enter")]);
  return focused;
}

async function story() {
  await page.goto(`${BUSINESS}/`);
  await page.waitForSelector("wallet-login button");
  const name = await page.getByRole("button", { name: "Log in with your card" }).count();
  await page.evaluate(axeSource);
  const { violations } = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"], runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] }));
  say({ step: "page", name, violations: violations.map(({ id }) => id) });

  const focused = await begin();
  say({ step: "begun", focused, link: await page.getAttribute("#show-card", "href") });
  const back = await hear();
  // A wallet opens the address in a tab of its own.
  const tab = await context.newPage();
  const answered = tab.waitForRequest((request) => request.url().startsWith(`${BUSINESS}/callback?`));
  await tab.goto(back);
  const success = await told(tab);
  const left = await tab.evaluate(() => [...Object.keys(sessionStorage), ...Object.keys(localStorage), document.cookie].filter(Boolean));
  say({ step: "back", ...success, left, cookies: (await context.cookies(BUSINESS)).map(({ name }) => name) });
  // The same answer in the tab that started.
  await page.goto((await answered).url());
  say({ step: "starting tab", ...(await told(page)) });
  await page.close();
  page = tab;

  // Negative: an answer that nobody asked for, one of another provider, one that came before.
  const answer = (values) => `${BUSINESS}/callback?${new URLSearchParams(values)}`;
  await page.goto(answer({ code: "x", state: "somebody-elses", iss: ISSUER }));
  say({ step: "forged", ...(await told(page)) });
  const state = async () => {
    await begin();
    await page.goto(`${BUSINESS}/`);
    return page.evaluate(() => Object.keys(localStorage)[0].slice("wallet-login:".length));
  };
  let own = await state();
  await page.goto(answer({ code: "x", state: own, iss: "https://evil.example" }));
  say({ step: "other issuer", ...(await told(page)) });
  await page.goto(answer({ code: "x", state: own, iss: ISSUER }));
  say({ step: "again", ...(await told(page)) });
  own = await state();
  await page.goto(answer({ code: "x", state: own }));
  say({ step: "no issuer", ...(await told(page)) });
  own = await state();
  await page.goto(answer({ error: "access_denied", state: own, iss: ISSUER }));
  say({ step: "denied", ...(await told(page)) });
  // With an element for another provider on the page: it leaves the answer to the one that asked.
  own = await state();
  await page.goto(`${BUSINESS}/two?${new URLSearchParams({ code: "x", state: own, iss: ISSUER })}`);
  say({ step: "two", ...(await told(page)), times: await page.locator("#told").getAttribute("data-times") });
  // What nobody finished is forgotten by the next page with the element.
  await page.evaluate(() => {
    localStorage.setItem("wallet-login:old", JSON.stringify({ at: Date.now() - 600_001 }));
    localStorage.setItem("wallet-login:broken", "{");
    localStorage.setItem("wallet-login:new", JSON.stringify({ at: Date.now() }));
    localStorage.setItem("other", "x");
  });
  await page.goto(`${BUSINESS}/`);
  await page.waitForSelector("#loaded");
  say({ step: "forgotten", left: (await page.evaluate(() => Object.keys(localStorage))).sort() });
  await page.evaluate(() => localStorage.clear());
  await page.evaluate((issuer) => {
    localStorage.setItem("wallet-login:late", JSON.stringify({ issuer, clientId: "shop", at: Date.now() - 600_001 }));
  }, ISSUER);
  await page.goto(answer({ code: "x", state: "late", iss: ISSUER }));
  say({ step: "late", ...(await told(page)), left: await page.evaluate(() => Object.keys(localStorage)) });
  // Addresses that are no provider.
  for (const issuer of ["javascript:alert(1)//", "data:text/html,x", "http://shop.example", "http://127.0.0.1.example", `${ISSUER}?x=1`, `${ISSUER}#x`, "/login"]) {
    await page.goto(`${BUSINESS}/`);
    await page.waitForSelector("#loaded");
    await page.locator("wallet-login").evaluate((login, issuer) => {
      login.setAttribute("issuer", issuer);
      return login.login();
    }, issuer);
    const left = await page.evaluate(() => Object.keys(localStorage));
    say({ step: "no issuer address", issuer, left, ...(await told(page)) });
  }
  // A browser that keeps nothing.
  const bare = await context.newPage();
  await bare.addInitScript(() => {
    Object.defineProperty(window, "localStorage", { get: () => { throw new DOMException("no", "SecurityError"); } });
  });
  await bare.goto(`${BUSINESS}/`);
  await bare.waitForSelector("#loaded");
  await bare.locator("wallet-login").evaluate((login) => login.login());
  say({ step: "no store", ...(await told(bare)) });
  await bare.goto(answer({ code: "x", state: own, iss: ISSUER }));
  say({ step: "no store on the way back", ...(await told(bare)) });
  await bare.close();
  // Parameters of somebody else are left alone.
  await page.goto(answer({ code: "y", state: "other-library" }));
  await page.waitForSelector("#loaded");
  say({ step: "foreign", quiet: await page.locator("#told[data-event]").count(), url: page.url() });
  say({ step: "end", troubles });
}

try {
  await story();
} finally {
  await browser.close();
}
process.exit(0);
