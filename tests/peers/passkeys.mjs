// Passkeys of a person in headless Chromium, with a virtual authenticator: logs in with a card, adds a
// passkey on the account page, and comes back with it. Says a line of JSON for each step and waits for a
// line where it needs the wallet. SHOTS names a folder for pictures.
//
//   LINK (the authorization request), OP, CALLBACK (where the application takes people back), AT (the port
//   where the service really is), SHOTS (optional)
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const { LINK, OP, CALLBACK, AT, SHOTS } = process.env;
const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const findings = [];
const say = (step) => console.log(JSON.stringify(step));
const hear = async () => (await lines.next()).value;

if (SHOTS) mkdirSync(SHOTS, { recursive: true });

const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", `--host-resolver-rules=MAP ${new URL(OP).host} 127.0.0.1:${AT}`],
});

/** Checks the page that is open: sideways scroll at phone width, and what axe finds serious. */
async function check(page, name) {
  for (const [width, scheme] of [[360, "light"], [1280, "dark"]]) {
    await page.setViewportSize({ width, height: 900 });
    await page.emulateMedia({ colorScheme: scheme });
    if (SHOTS) await page.screenshot({ path: `${SHOTS}/passkeys-${name}-${width}-${scheme}.png`, fullPage: true });
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    if (overflow > 0) findings.push(`${name} at ${width}: scrolls sideways by ${overflow} px`);
    await page.evaluate(axeSource);
    const { violations } = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"], runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] }));
    for (const { id, nodes } of violations) findings.push(`${name} at ${width}, ${scheme}: ${id}: ${nodes.map((node) => node.html).join(" ").slice(0, 300)}`);
  }
}

async function story() {
  const context = await browser.newContext({ locale: "en-GB", bypassCSP: true });
  context.setDefaultTimeout(120_000);
  // Nobody is at the application: the request that goes there is enough.
  const back = (page) => page.waitForRequest((request) => request.isNavigationRequest() && request.url().startsWith(CALLBACK));

  const first = await context.newPage();
  await first.goto(LINK);
  const link = await first.getAttribute("#show-card", "href");
  // The page follows the login by itself: here the wallet's answer does.
  await first.goto("about:blank");
  say({ step: "asked", link });
  const answer = await hear();
  const [came] = await Promise.all([back(first), first.goto(answer).catch(() => {})]);
  say({ step: "by card", url: came.url() });
  await first.close();

  const page = await context.newPage();
  page.on("pageerror", (error) => findings.push(`${error}`));
  const devtools = await context.newCDPSession(page);
  await devtools.send("WebAuthn.enable");
  const { authenticatorId } = await devtools.send("WebAuthn.addVirtualAuthenticator", {
    options: { protocol: "ctap2", ctap2Version: "ctap2_1", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true },
  });
  await page.goto(`${OP}/account`);
  await page.fill("#passkey-name", "My laptop");
  await check(page, "account");
  // Refused by the device: the page says so, and nothing is added.
  await devtools.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: false });
  await page.click("#passkey");
  await page.waitForSelector("#problem:not([hidden])");
  await check(page, "account-problem");
  await devtools.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: true });
  await Promise.all([page.waitForNavigation(), page.click("#passkey")]);
  await check(page, "account-with");
  const { credentials } = await devtools.send("WebAuthn.getCredentials", { authenticatorId });
  say({ step: "added", passkeys: credentials.length, resident: credentials.every((one) => one.isResidentCredential), named: (await page.textContent("main")).includes("My laptop") });

  await context.clearCookies();
  await page.goto(LINK);
  await check(page, "login");
  await devtools.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: false });
  await page.click("#passkey");
  await page.waitForSelector("#problem:not([hidden])");
  await devtools.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: true });
  const [again] = await Promise.all([back(page), page.click("#passkey")]);
  say({ step: "by passkey", url: again.url() });
}

try {
  await story();
  say({ step: "end", findings });
} catch (error) {
  say({ step: "end", findings: [...findings, `${error}`] });
} finally {
  await browser.close();
}
process.exit(0);
