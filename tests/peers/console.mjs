// The console in headless Chromium, with a virtual authenticator: a link becomes a passkey, an
// offer is made, its card is taken elsewhere and revoked here. Says a line of JSON for each step
// and waits for a line where it needs something. SHOTS names a folder for pictures.
//
//   LINK, ISSUER, SHOTS (optional)
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const { LINK, ISSUER, SHOTS } = process.env;
const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const findings = [];
const say = (step) => console.log(JSON.stringify(step));
const hear = async () => (await lines.next()).value;

if (SHOTS) mkdirSync(SHOTS, { recursive: true });

const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

/** Checks the page that is open: sideways scroll at phone width, and what axe finds serious. */
async function check(page, name) {
  for (const [width, scheme] of [[360, "light"], [1280, "dark"]]) {
    await page.setViewportSize({ width, height: 900 });
    await page.emulateMedia({ colorScheme: scheme });
    if (SHOTS) await page.screenshot({ path: `${SHOTS}/console-${name}-${width}-${scheme}.png`, fullPage: true });
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    if (overflow > 0) findings.push(`${name} at ${width}: scrolls sideways by ${overflow} px`);
    await page.evaluate(axeSource);
    const { violations } = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"], runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] }));
    for (const { id, nodes } of violations) findings.push(`${name} at ${width}, ${scheme}: ${id}: ${nodes.map((node) => node.html).join(" ").slice(0, 300)}`);
  }
}

async function press(page, selector) {
  await Promise.all([page.waitForNavigation(), page.click(selector)]);
}

async function story() {
  const context = await browser.newContext({ locale: "en-GB", bypassCSP: true });
  const page = await context.newPage();
  page.on("pageerror", (error) => findings.push(`${error}`));
  const devtools = await context.newCDPSession(page);
  await devtools.send("WebAuthn.enable");
  const { authenticatorId } = await devtools.send("WebAuthn.addVirtualAuthenticator", {
    options: { protocol: "ctap2", ctap2Version: "ctap2_1", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true },
  });

  await page.goto(LINK);
  await check(page, "invitation");
  // Cancelled by the device: the page says so, and the link still works.
  await devtools.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: false });
  await page.click("#passkey");
  await page.waitForSelector("#problem:not([hidden])");
  await devtools.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: true });
  await press(page, "#passkey");
  const { credentials } = await devtools.send("WebAuthn.getCredentials", { authenticatorId });
  say({ step: "joined", passkeys: credentials.length, url: page.url() });
  await check(page, "home");

  await page.goto(`${ISSUER}/console/account`);
  await check(page, "account");
  await press(page, "form[action='/console/sign-out'] button");
  await check(page, "sign-in");
  await press(page, "#passkey");
  say({ step: "signed in", url: page.url() });

  await page.goto(`${ISSUER}/console/types`);
  await check(page, "types");
  await page.goto(`${ISSUER}/console/types/membership`);
  await check(page, "type");
  await page.goto(`${ISSUER}/console/offers/new`);
  await check(page, "offer-choose");
  await page.goto(`${ISSUER}/console/offers/new?type=membership`);
  await check(page, "offer-form");
  await page.fill("#record_id", "crm-1");
  await press(page, "main form.panel button[type=submit]");
  await check(page, "offer-problems");
  for (const [label, value] of [["Membership number", "M-1"], ["Membership level", "gold"], ["Valid until", "2030-01-01"]]) await page.getByLabel(label).fill(value);
  await press(page, "main form.panel button[type=submit]");
  await check(page, "offer-made");
  say({ step: "offer", link: await page.textContent("#link"), tries: await page.getAttribute("#try", "href").catch(() => null) });
  await hear();

  // A second card of the same record, to take the place of the first.
  await page.goto(`${ISSUER}/console/offers/new?type=membership`);
  await page.fill("#record_id", "crm-1");
  for (const [label, value] of [["Membership number", "M-1"], ["Membership level", "silver"], ["Valid until", "2031-01-01"]]) await page.getByLabel(label).fill(value);
  await press(page, "main form.panel button[type=submit]");
  say({ step: "second offer", link: await page.textContent("#link") });
  await hear();

  await page.goto(`${ISSUER}/console/batches/new`);
  await check(page, "batch-form");
  await page.selectOption("#type", "membership");
  const table = (rows) => ({ name: "members.csv", mimeType: "text/csv", buffer: Buffer.from(`record_id,member_id,tier,valid_until\n${rows}`) });
  await page.setInputFiles("#file", table(",,gold,tomorrow\n"));
  await press(page, "main form.panel button[type=submit]");
  await check(page, "batch-problems");
  await page.selectOption("#type", "membership");
  const members = Array.from({ length: 20 }, (_, n) => `crm-${n + 10},M-${n + 10},gold,2030-01-01\n`).join("");
  await page.setInputFiles("#file", table(members));
  await press(page, "main form.panel button[type=submit]");
  await check(page, "batch-made");
  const [download] = await Promise.all([page.waitForEvent("download"), page.click("#download")]);
  const csv = readFileSync(await download.path(), "utf8").trim().split("\n");
  await press(page, "#progress");
  await check(page, "batch");
  say({ step: "batch", rows: csv.length - 1, first: csv[1].split(",")[1] });
  await hear();

  await page.goto(`${ISSUER}/console/credentials?record=crm-1`);
  await check(page, "credentials");
  await press(page, "tbody tr:last-child a");
  await press(page, "#end");
  await check(page, "end");
  await page.fill("#at", "2020-01-01T12:00:00");
  await press(page, "main form button[type=submit]");
  await check(page, "end-problem");
  const [date, time] = new Date(Date.now() + 86_400_000).toISOString().split(/[T.]/);
  await page.fill("#at", `${date}T${time}`);
  await press(page, "main form button[type=submit]");
  say({ step: "ends", told: (await page.textContent("dl")).includes("Will be ended") });
  await press(page, "#supersede");
  await check(page, "supersede");
  await page.check("input[name=by]");
  await press(page, "main form button[type=submit]");
  await check(page, "replaced");
  say({ step: "replaced", status: await page.textContent("#status") });
  await page.goto(`${ISSUER}/console/credentials?record=crm-1`);
  await press(page, "tbody a");
  await check(page, "credential");
  const card = page.url();
  await press(page, "#renew");
  await check(page, "renew");
  await page.goto(`${card}/expire`);
  await check(page, "expire");
  await page.goto(card);
  await press(page, "#suspend");
  await check(page, "suspend");
  await press(page, "main form button[type=submit]");
  say({ step: "suspended", status: await page.textContent("#status") });
  await press(page, "#revoke");
  await press(page, "main form button[type=submit]");
  say({ step: "revoked", status: await page.textContent("#status") });

  await page.goto(`${ISSUER}/console/jobs/new`);
  await check(page, "job-new");
  await press(page, "main form.panel button[type=submit]");
  await check(page, "job-problems");
  await page.selectOption("#type", "membership");
  await page.fill("#records", "crm-10\ncrm-11\n");
  await press(page, "main form.panel button[type=submit]");
  await check(page, "job-confirm");
  const [cards] = (await page.textContent("h1")).match(/\d+/);
  await press(page, "#begin");
  await check(page, "job");
  const job = page.url();
  while (!(await page.textContent("#state")).includes("Done")) {
    await page.waitForTimeout(200);
    await page.goto(job);
  }
  await page.goto(`${ISSUER}/console/jobs`);
  await check(page, "jobs");
  say({ step: "mass change", done: (await page.textContent("tbody")).includes(`${cards} of ${cards} changed`) });

  await page.goto(`${ISSUER}/console/operators`);
  await page.fill("#name", "Bob");
  await page.selectOption("#role", "viewer");
  await press(page, "main form.panel button[type=submit]");
  await check(page, "operators");
  const invited = await page.textContent("#link");
  await press(page, "a[aria-label='Look: what signs Bob in']");
  await check(page, "operator");
  await press(page, "#remove");
  await check(page, "operator-remove");
  await page.goto(`${ISSUER}/console/operators`);
  await press(page, "a[aria-label='Look: what signs Ada in']");
  await check(page, "operator-own");
  for (const name of ["offers", "keys", "webhooks"]) {
    await page.goto(`${ISSUER}/console/${name}`);
    await check(page, name);
  }
  await page.goto(`${ISSUER}/console/audit`);
  await press(page, "form[action='/console/audit/check'] button");
  await check(page, "audit");
  say({ step: "log", whole: (await page.textContent("main")).includes("The log is whole") });
  await page.goto(`${ISSUER}/console/nothing/at/all`);
  await page.goto(LINK);
  await check(page, "failed");
  const secrets = (await context.cookies()).map(({ value }) => value);
  await context.close();

  // Without scripts everything but passkeys works; here: a viewer's browser that cannot join.
  const silent = await browser.newContext({ locale: "de-DE", javaScriptEnabled: false });
  const quiet = await silent.newPage();
  await quiet.goto(invited);
  say({ step: "silent", told: (await quiet.textContent("main")).includes("JavaScript") });
  await silent.close();
  say({ step: "end", findings, secrets: [...secrets, LINK.split("/").pop(), invited.split("/").pop()] });
}

try {
  await story();
} catch (error) {
  say({ step: "stopped", error: `${error}`, findings });
  process.exitCode = 1;
} finally {
  await browser.close();
  process.exit();
}
