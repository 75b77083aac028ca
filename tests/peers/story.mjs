// The demo's story in headless Chromium: shop -> wallet -> shop, every page
// photographed at phone and desktop width, light and dark, and checked for
// horizontal scroll, errors in the console and serious findings of axe.
//
// What a screen reader finds on the wallet's pages is compared with snapshots/; --update writes it
// there instead.
//
//   node story.mjs --program PATH --output FOLDER [--update]
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";

const { values: options } = parseArgs({ options: { program: { type: "string" }, output: { type: "string" }, update: { type: "boolean" } } });
const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const widths = [360, 1280];
const schemes = ["light", "dark"];
const findings = [];
const pages = new Set();
let checks = 0;

mkdirSync(options.output, { recursive: true });

/** Starts the demo and waits until it says where everything is. */
async function startDemo(more = []) {
  const log = openSync(`${options.output}/demo${more.length}.log`, "w");
  const child = spawn(options.program, ["demo", "--json", "--port", "0", "--log", "info", ...more], { stdio: ["ignore", "pipe", log] });
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith("{")) return { child, urls: JSON.parse(line) };
  }
  throw new Error("the demo ended before it started");
}

const launch = () =>
  chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });

/** A browser with an empty profile whose console is watched. */
async function person(browser, name, locale = "en-GB", more = {}) {
  const context = await browser.newContext({ locale, viewport: { width: 1280, height: 900 }, bypassCSP: true, ...more });
  const page = await context.newPage();
  page.on("console", (message) => {
    // What lets a page through with a certificate of our own lets no script of a service worker through.
    const worker = more.ignoreHTTPSErrors && message.text().includes("when fetching the script");
    const expected = worker || message.text().includes("status of 4") || message.text().includes("status of 5");
    if (message.type() === "error" && !expected) findings.push(`${name}: console: ${message.text()}`);
  });
  page.on("pageerror", (error) => findings.push(`${name}: ${error}`));
  return { context, page };
}

/** What changes with each run: addresses, times, ids. */
const steady = (tree) =>
  tree
    // Whether an issuer stands by a card may have been heard by then, or not yet.
    .replace(/^ *- paragraph: [^\n]*stands by (this card|it)[^\n]*\n/gm, "")
    .replace(/^( *)- paragraph:\n\1 {2}- [^\n]*stands by (this card|it)[^\n]*\n(\1 {2,}[^\n]*\n)*/gm, "")
    .replace(/127\.0\.0\.1(:\d+)?/g, "HOST")
    .replace(/\d{1,2} \w+ \d{4}, \d{2}:\d{2} UTC/g, "TIME")
    .replace(/\d{4}-\d{2}-\d{2}/g, "DATE")
    .replace(/\b[0-9a-f]{8,}(-[0-9a-f]+)*\b/g, "ID")
    .replace(/\/url: mailto:.*/g, "/url: mailto:")
    .replace(/\bM-[\w-]+/g, "NUMBER")
    .replace(/([0-9A-F]{2}:){31}[0-9A-F]{2}/g, "FINGERPRINT");

const snapshots = new URL("snapshots/", import.meta.url);
if (options.update) mkdirSync(snapshots, { recursive: true });

/** The page as a screen reader finds it, beside what was committed. */
async function heard(page, name) {
  // Before the first --update there is nothing to compare with.
  if (!existsSync(snapshots)) return;
  const tree = `${steady(await page.locator("body").ariaSnapshot())}\n`;
  const file = new URL(`${name}.yml`, snapshots);
  if (options.update) writeFileSync(file, tree);
  checks += 1;
  const wanted = existsSync(file) ? readFileSync(file, "utf8") : "";
  if (tree !== wanted) {
    writeFileSync(`${options.output}/${name}.yml`, tree);
    const lines = wanted.split("\n");
    const line = tree.split("\n").find((text, at) => text !== lines[at]);
    findings.push(`${name}: another accessibility tree than in snapshots/${name}.yml, from here on: ${line}`);
  }
}

/** Photographs the page that is open and checks it. */
async function shot(page, name, looks = schemes) {
  pages.add(name);
  if (name.startsWith("wallet-") && looks === schemes) await heard(page, name);
  for (const width of widths) {
    for (const scheme of looks) {
      await page.setViewportSize({ width, height: width < 500 ? 740 : 900 });
      await page.emulateMedia({ colorScheme: scheme });
      await page.screenshot({ path: `${options.output}/${name}-${width}-${scheme}.png`, fullPage: true });
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      checks += 1;
      if (overflow > 0) findings.push(`${name} at ${width}: scrolls sideways by ${overflow} px`);
      await page.evaluate(axeSource);
      const { violations } = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
      checks += 1;
      for (const violation of violations.filter(({ impact }) => impact === "serious" || impact === "critical")) {
        findings.push(`${name} at ${width}, ${scheme}: ${violation.id}: ${violation.nodes.map((node) => node.html).join(" ").slice(0, 300)}`);
      }
    }
  }
  await page.setViewportSize({ width: 1280, height: 900 });
  await page.emulateMedia({ colorScheme: "light" });
}

function expect(condition, what) {
  checks += 1;
  if (!condition) throw new Error(`expected: ${what}`);
}

/** Presses a button or follows a link and waits for the page that comes. */
async function press(page, selector) {
  await Promise.all([page.waitForNavigation(), page.click(selector)]);
}

async function getCard(page, urls, button, name) {
  await page.goto(`${urls.shop}/club`);
  if (name === "age") await shot(page, "shop-club");
  await press(page, button);
  await shot(page, `shop-offer-${name}`);
  await press(page, "#accept");
  await shot(page, `wallet-offer-${name}`);
  await press(page, "button[value=yes]");
  await shot(page, `wallet-added-${name}`);
}

/** Moves the focus with the Tab key alone until it is there; wherever it stops, it is seen. */
async function tabTo(page, selector) {
  for (let steps = 0; steps < 60; steps += 1) {
    await page.keyboard.press("Tab");
    const here = await page.evaluate((wanted) => {
      const active = document.activeElement;
      const ring = getComputedStyle(active);
      const seen = active === document.body || (ring.outlineStyle !== "none" && parseFloat(ring.outlineWidth) >= 2);
      return { there: active.matches(wanted), seen, element: active.outerHTML.slice(0, 120) };
    }, selector);
    checks += 1;
    if (!here.seen) findings.push(`keyboard: the focus is not seen on ${here.element}`);
    if (here.there) return;
  }
  throw new Error(`the Tab key does not reach ${selector} on ${page.url()}`);
}

async function enter(page) {
  await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
}

/** Two logins without a mouse: the card on this device, then on another one. */
async function keyboard(browser, urls) {
  const { context, page } = await person(browser, "keyboard");
  await page.goto(urls.shop);
  await tabTo(page, "#sign-in");
  await enter(page);
  await tabTo(page, "#show-card");
  await enter(page);
  await tabTo(page, "button[value=yes]");
  await enter(page);
  expect(page.url().startsWith(urls.shop), "logged in with Tab and Enter alone");
  const sub = JSON.parse(await page.textContent("#userinfo")).sub;
  await context.close();

  const desk = await person(browser, "keyboard, other device");
  const phone = await person(browser, "keyboard, phone");
  await desk.page.goto(urls.shop);
  await tabTo(desk.page, "#sign-in");
  await enter(desk.page);
  await tabTo(desk.page, "#other-device");
  await enter(desk.page);
  await tabTo(desk.page, "details summary");
  await desk.page.keyboard.press("Enter");
  await phone.page.goto(await desk.page.textContent("details[open] code"));
  await tabTo(phone.page, "button[value=yes]");
  await enter(phone.page);
  const number = (await phone.page.textContent("#number")).trim();
  // The page that waited asks for the number and has the focus in its field.
  await desk.page.waitForSelector("input#number:focus");
  await desk.page.keyboard.type(number);
  await enter(desk.page);
  expect(JSON.parse(await desk.page.textContent("#userinfo")).sub === sub, "the same person, with two screens and no mouse");
  await desk.context.close();
  await phone.context.close();
}

/** The pages of a login with two screens in another language. */
async function inLanguage(browser, urls, locale) {
  const [language] = locale.split("-");
  const take = (page, name) => shot(page, `${name}-${language}`, ["light"]);
  const direction = language === "ar" ? "rtl" : "ltr";
  const { context, page } = await person(browser, `desk in ${locale}`, locale);
  const phone = await person(browser, `phone in ${locale}`, locale);
  await page.goto(urls.shop);
  await take(page, "shop-home");
  await press(page, "#sign-in");
  const { lang, dir } = await page.evaluate(() => ({ lang: document.documentElement.lang, dir: document.documentElement.dir }));
  expect(lang === language && dir === direction, `pages in ${language}, ${direction}`);
  await take(page, "login");
  await press(page, "#other-device");
  await page.click("details summary");
  await take(page, "login-qr");
  await phone.page.goto(await page.textContent("details code"));
  const card = await phone.page.textContent("main");
  expect(card.includes("Membership card"), `a card without a name in ${language} has its English one`);
  await take(phone.page, "wallet-consent");
  await page.waitForSelector(".note[role=status]");
  await take(page, "login-waiting");
  await press(phone.page, "button[value=yes]");
  await take(phone.page, "number-shown");
  const shown = await phone.page.evaluate(() => {
    const number = document.getElementById("number");
    return { number: number.textContent.trim(), direction: getComputedStyle(number).direction };
  });
  expect(shown.direction === "ltr", "a number reads from left to right everywhere");
  await page.waitForSelector("input#number");
  await take(page, "number-asked");
  await page.fill("input#number", String((Number(shown.number) + 1) % 100).padStart(2, "0"));
  await press(page, "form button[type=submit]");
  await take(page, "number-wrong");
  await page.fill("input#number", shown.number);
  await press(page, "form button[type=submit]");
  expect(page.url().startsWith(urls.shop), `logged in, in ${language}`);
  await page.goto(`${urls.verifier}/account`);
  await take(page, "account");
  await page.goto(`${urls.verifier}/authorize?client_id=nobody`);
  await take(page, "login-error");
  await phone.context.close();
  await context.close();
}

/** What the consent page says that would be learned, and what would not. */
const columns = (page) =>
  page.evaluate(() => {
    const labels = (column) => [...document.querySelectorAll(`${column} li > bdi`)].map((label) => label.textContent);
    return { learn: labels(".learn"), stay: labels(".stay") };
  });

/** From the shop to a proof of age in three clicks, and the wallet says exactly what leaves. */
async function proofIn(browser, urls, locale, label) {
  const { context, page } = await person(browser, `proof in ${locale}`, locale);
  await page.goto(urls.wallet);
  const facts = await page.evaluate(async () => {
    for (const card of document.querySelectorAll("a.card")) {
      const text = await (await fetch(card.href)).text();
      const shown = new DOMParser().parseFromString(text, "text/html");
      const labels = [...shown.querySelectorAll("dt > bdi")].map((one) => one.textContent);
      if (labels.some((one) => one.startsWith("18"))) return labels;
    }
    return [];
  });
  await page.goto(urls.shop);
  let clicks = 0;
  const click = async (selector) => {
    clicks += 1;
    await press(page, selector);
  };
  await click("#prove-age");
  await click("#show-card");
  const { learn, stay } = await columns(page);
  expect(JSON.stringify(learn) === JSON.stringify([label]), `${locale}: exactly ${label} is learned, not ${learn}`);
  expect(stay.length > 0 && JSON.stringify([...learn, ...stay].sort()) === JSON.stringify([...facts].sort()), `${locale}: everything else on the card stays`);
  const dir = await page.evaluate(() => `${document.documentElement.lang} ${document.documentElement.dir}`);
  expect(dir === `${locale.slice(0, 2)} ${locale.startsWith("ar") ? "rtl" : "ltr"}`, `the consent page in ${locale}`);
  await click("button[value=yes]");
  const proved = JSON.parse(await page.textContent("#userinfo"));
  expect(proved.age_over_18 === true && Object.keys(proved).length === 2, `${locale}: the shop learned that alone`);
  expect(clicks <= 3, "three clicks from the shop to the proof");
  await context.close();
}

/** A phone in the same network: trust the certificate, make the wallet, read a code, lock. */
async function overTheNetwork(browser) {
  const { child, urls } = await startDemo(["--lan=127.0.0.1"]);
  try {
    const desk = await person(browser, "desk in the network", "en-GB", { ignoreHTTPSErrors: true });
    const { context, page } = await person(browser, "phone in the network", "en-GB", { ignoreHTTPSErrors: true });
    await page.goto(urls.authority);
    await shot(page, "wallet-authority");
    expect(!(await page.content()).includes(urls.authority_sha256), "a page that anybody may have changed vouches for nothing");
    const stranger = await page.goto(urls.wallet);
    expect(stranger.status() === 403, "without its invitation nobody makes the wallet");
    await shot(page, "wallet-not-set-up");
    await page.goto(urls.wallet_invitation);
    await page.fill("#name", "Ada’s cards");
    await page.fill("#passphrase", "correct horse");
    await page.fill("#again", "correct house");
    await press(page, "button[type=submit]");
    await shot(page, "wallet-setup");
    await page.fill("#name", "Ada’s cards");
    await page.fill("#passphrase", "correct horse");
    await page.fill("#again", "correct horse");
    await press(page, "button[type=submit]");
    await shot(page, "wallet-empty");
    const manifest = await page.evaluate(async () => (await fetch(document.querySelector("link[rel=manifest]").href)).json());
    expect(manifest.display === "standalone" && manifest.icons.length > 1, "the wallet can be installed");

    // The desk draws a code; the phone reads it from a picture.
    const read = async (name) => {
      await page.goto(`${urls.wallet}/add`);
      const picture = await desk.page.locator(".qr").screenshot();
      await page.setInputFiles("#picture", { name: "code.png", mimeType: "image/png", buffer: picture });
      await press(page, "#by-picture button");
      await shot(page, name, ["light"]);
    };
    await desk.page.goto(`${urls.shop}/club`);
    await press(desk.page, "#get-age");
    await read("wallet-offer-read");
    await press(page, "button[value=yes]");
    await desk.page.goto(urls.shop);
    await press(desk.page, "#prove-age");
    await press(desk.page, "#other-device");
    await desk.page.click("details summary");
    expect((await desk.page.textContent("details code")).startsWith("haip-vp://?"), "any wallet may read the code");
    await read("wallet-consent-read");
    await press(page, "button[value=yes]");
    const number = (await page.textContent("#number")).trim();
    await desk.page.waitForSelector("input#number");
    await desk.page.fill("input#number", number);
    await press(desk.page, "form button[type=submit]");
    expect(JSON.parse(await desk.page.textContent("#userinfo")).age_over_18 === true, "proved with a phone");

    await page.goto(`${urls.wallet}/settings`);
    await shot(page, "wallet-settings-guarded");
    await page.goto(`${urls.wallet}/passphrase`);
    await shot(page, "wallet-passphrase");
    await page.goto(`${urls.wallet}/settings`);
    await press(page, "form[action='/lock'] button");
    await page.fill("#passphrase", "wrong horse");
    await press(page, "button[type=submit]");
    await shot(page, "wallet-unlock");
    await page.fill("#passphrase", "correct horse");
    await press(page, "button[type=submit]");
    expect((await page.$$("a.card")).length === 1, "open again with its card");
    await context.close();
    await desk.context.close();
  } finally {
    child.kill("SIGTERM");
  }
}

async function story() {
  const { child, urls } = await startDemo();
  const browser = await launch();
  try {
    const { context, page } = await person(browser, "person");
    await page.goto(urls.shop);
    await shot(page, "shop-home");

    // No card yet: the wallet says so, and nothing is told without asking.
    await press(page, "#prove-age");
    await press(page, "#show-card");
    await shot(page, "wallet-no-card");
    await press(page, "button[value=tell]");
    await page.goto(urls.shop);

    await getCard(page, urls, "#get-age", "age");
    await getCard(page, urls, "#get-membership", "membership");

    // A prepared card: the one-time code of the organisation, typed on its page.
    const prepared = await fetch(`${urls.issuer}/v1/offers`, {
      method: "POST",
      headers: { authorization: `Bearer ${urls.issuer_api_key}`, "content-type": "application/json" },
      body: JSON.stringify({
        record_id: "story",
        credential_type: "membership",
        grant: "authorization_code",
        claims: { member_id: "M-story", tier: "gold", valid_until: "2030-01-01" },
      }),
    }).then((answer) => answer.json());
    await page.goto(prepared.link);
    await shot(page, "wallet-offer-sign-in");
    await press(page, "button[value=yes]");
    await shot(page, "issuer-code");
    await page.fill("form input[type=text]", "AAAA-AAAA");
    await press(page, "form button[type=submit]");
    await shot(page, "issuer-code-wrong");
    await page.fill("form input[type=text]", prepared.one_time_code);
    await press(page, "form button[type=submit]");
    expect(page.url().startsWith(urls.wallet), "back in the wallet with the prepared card");
    await page.goto(`${urls.issuer}/authorize?client_id=nobody`);
    await shot(page, "issuer-failed");
    await page.goto(urls.wallet);
    await press(page, "a.card");
    await shot(page, "wallet-card");
    if (await page.$("summary")) await page.click("summary");
    await press(page, "form button.stop");
    await page.goto(`${urls.wallet}/add`);
    await shot(page, "wallet-add");
    await page.goto(`${urls.wallet}/cards/nothing`);
    await shot(page, "wallet-problem");
    await page.goto(`${urls.verifier}/authorize?client_id=nobody`);
    await shot(page, "login-bad-request");

    // The club's console: the link, an offer that the demo wallet tries, a table, what was issued.
    await page.goto(urls.console);
    await shot(page, "console-invitation");
    await press(page, "main form button");
    await shot(page, "console-home");
    await page.goto(`${urls.issuer}/console/types/membership`);
    await shot(page, "console-type");
    await page.goto(`${urls.issuer}/console/offers/new?type=membership`);
    await shot(page, "console-offer");
    await page.fill("#record_id", "crm-console");
    await press(page, "form.panel button[type=submit]");
    await shot(page, "console-offer-problems");
    for (const [label, value] of [["Membership number", "M-7"], ["Membership level", "gold"], ["Valid until", "2030-01-01"]]) await page.getByLabel(label).fill(value);
    await press(page, "form.panel button[type=submit]");
    await shot(page, "console-offer-made");
    await press(page, "#try");
    expect(page.url().startsWith(urls.wallet), "the offer opens in the demo wallet");
    await page.goto(`${urls.issuer}/console/batches/new`);
    await page.selectOption("#type", "membership");
    await page.fill("#table", "record_id,member_id,tier,valid_until\ncrm-1,M-1,gold,2030-01-01\n");
    await shot(page, "console-batch");
    await press(page, "form.panel button[type=submit]");
    await shot(page, "console-batch-made");
    await press(page, "#progress");
    await shot(page, "console-batch-progress");
    await page.goto(`${urls.issuer}/console/credentials`);
    await shot(page, "console-credentials");
    await press(page, "tbody a");
    await shot(page, "console-credential");
    const card = page.url();
    await press(page, "#renew");
    await shot(page, "console-renew");
    await page.goto(`${card}/expire`);
    await shot(page, "console-expire");
    await page.goto(card);
    await press(page, "#revoke");
    await shot(page, "console-revoke");
    for (const name of ["offers", "keys", "webhooks", "audit", "jobs", "operators", "account"]) {
      await page.goto(`${urls.issuer}/console/${name}`);
      await shot(page, `console-${name}`);
    }
    await page.goto(`${urls.issuer}/console/jobs/new`);
    await page.selectOption("#type", "membership");
    await shot(page, "console-job-new");
    await press(page, "form.panel button[type=submit]");
    await shot(page, "console-job-confirm");
    await page.goto(urls.console);
    await shot(page, "console-failed");

    // Age: one fact, nobody is known.
    await page.goto(urls.shop);
    await press(page, "#prove-age");
    await shot(page, "login-age");
    await press(page, "#show-card");
    await shot(page, "wallet-consent-age");
    await press(page, "button[value=yes]");
    expect(page.url().startsWith(urls.shop), "back in the shop after the proof of age");
    await page.click("summary");
    await shot(page, "shop-age-proved");
    const userinfo = JSON.parse(await page.textContent("#userinfo"));
    expect(userinfo.age_over_18 === true, "age_over_18: true");
    expect(JSON.stringify(Object.keys(userinfo).sort()) === '["age_over_18","sub"]', "nothing but age_over_18 and sub");
    await press(page, "form[action='/logout'] button");

    // Declining is an answer, too.
    await press(page, "#prove-age");
    await press(page, "#show-card");
    await press(page, "button[value=no]");
    await shot(page, "declined");
    await page.goto(urls.shop);

    // Membership: signed in.
    await press(page, "#sign-in");
    await shot(page, "login-membership");
    await press(page, "#show-card");
    await shot(page, "wallet-consent-membership");
    await press(page, "button[value=yes]");
    await shot(page, "shop-member");
    const sub = JSON.parse(await page.textContent("#userinfo")).sub;

    // The account page of the sign-in service.
    const account = await context.newPage();
    await account.goto(`${urls.verifier}/account`);
    await shot(account, "account");
    await account.goto(`${urls.verifier}/logout`);
    await shot(account, "logout");
    await account.close();

    // Another browser, the wallet elsewhere: a code, then a number.
    const other = await person(browser, "other browser");
    await other.page.goto(urls.shop);
    await press(other.page, "#sign-in");
    await press(other.page, "#other-device");
    await shot(other.page, "login-qr");
    await other.page.click("details summary");
    const link = await other.page.textContent("details code");
    const phone = await context.newPage();
    await phone.goto(link);
    await press(phone, "button[value=yes]");
    await shot(phone, "number-shown");
    const number = (await phone.textContent("#number")).trim();
    await other.page.waitForSelector("input#number");
    await shot(other.page, "number-asked");
    await other.page.fill("input#number", String((Number(number) + 1) % 100).padStart(2, "0"));
    await press(other.page, "form button[type=submit]");
    await shot(other.page, "number-wrong");
    await other.page.fill("input#number", number);
    await press(other.page, "form button[type=submit]");
    expect(other.page.url().startsWith(urls.shop), "the other browser is back in the shop");
    const again = JSON.parse(await other.page.textContent("#userinfo")).sub;
    expect(again === sub, "the same person has the same identifier");
    await phone.close();

    // At home nothing is asked; from another country the card is, and the page says why.
    await page.goto(`${urls.shop}/login/again`);
    expect(page.url() === `${urls.shop}/`, "at home the session is enough");
    await press(page, "#elsewhere button[value=abroad]");
    await page.waitForSelector("#unusual");
    await shot(page, "login-unusual");
    await press(page, "#show-card");
    await press(page, "button[value=yes]");
    await shot(page, "shop-abroad");
    const methods = JSON.parse(await page.textContent("#id-token")).amr;
    expect(methods.includes("rba") && methods.includes("vp"), `the risk asked for the card: ${methods}`);
    await press(page, "#elsewhere button[value=home]");

    await keyboard(browser, urls);
    const label = { de: "18 Jahre oder älter" };
    for (const locale of ["en-GB", "de-AT", "fr-CA", "es-MX", "it-IT", "ar-EG"]) await proofIn(browser, urls, locale, label[locale.slice(0, 2)] ?? "18 or older");
    await overTheNetwork(browser);
    for (const locale of ["ar-EG", "fr-CA"]) await inLanguage(browser, urls, locale);

    // What the business reads of all that.
    const business = await person(browser, "business");
    await business.page.goto(urls.numbers);
    await shot(business.page, "numbers-sign-in");
    await business.page.fill("input[name=key]", urls.numbers_api_key);
    await press(business.page, "main form button");
    await shot(business.page, "numbers");
    for (const page of ["risk?threshold=0.5", "clients", "consents", "audit?check=yes", "returns?visits=1000&before=60&margin=12.5&calls=40&call_cost=8&cost=500"]) {
      await business.page.goto(`${urls.numbers}/${page}`);
      await shot(business.page, `numbers-${page.split("?")[0]}`);
    }

    // Revocation ends the visits, live.
    await page.goto(urls.shop);
    const counter = await context.newPage();
    await counter.goto(`${urls.shop}/club/cards`);
    await shot(counter, "shop-cards");
    // The newest card, on top, is the one that was prepared and deleted.
    await press(counter, "tbody tr:last-child button.stop");
    await shot(counter, "shop-cards-revoked");
    await page.waitForSelector("#ended:not([hidden])", { timeout: 30_000 });
    await shot(page, "shop-ended");
    await page.goto(urls.shop);
    await press(page, "#sign-in");
    await press(page, "#show-card");
    await shot(page, "wallet-consent-revoked");
    await press(page, "button[value=yes]");
    expect(page.url().startsWith(urls.verifier), "the sign-in service explains the refusal");
    await shot(page, "login-refused");
    await press(page, "#leave");
    await shot(page, "shop-declined");
    await counter.close();
    await other.context.close();

    // The wallet: cards, history.
    await page.goto(urls.wallet);
    await shot(page, "wallet-home");
    await page.goto(`${urls.wallet}/history`);
    await shot(page, "wallet-history", ["light", "dark"]);
    const { entries: history } = await (await page.request.get(`${urls.wallet}/history.json`)).json();
    const proof = history.find(({ kind, result, outcome }) => kind === "presented" && (result ?? outcome.result) === "completed");
    await page.goto(`${urls.wallet}/history/${proof.id}`);
    await shot(page, "wallet-entry");
    await press(page, "a[href$='/erase']");
    await shot(page, "wallet-letter-erase");
    await page.goto(`${urls.wallet}/history/${proof.id}/report`);
    await shot(page, "wallet-letter-report");
    await page.goto(`${urls.wallet}/history?party=${encodeURIComponent(proof.party.host)}`);
    const parties = await page.locator(".timeline bdi[dir=ltr]").allTextContents();
    expect(parties.length > 0 && parties.every((host) => host === proof.party.host), "the history of one party");
    await page.goto(`${urls.wallet}/settings`);
    await page.fill("#name", "Ada’s wallet");
    await press(page, "form button:not([name])");
    await shot(page, "wallet-settings");
    await page.goto(`${urls.wallet}/backup`);
    await shot(page, "wallet-backup");
    await page.goto(`${urls.shop}/login/nothing`);
    await shot(page, "shop-not-found");
    await context.close();

    // German, without JavaScript.
    const plain = await browser.newContext({ locale: "de-DE", javaScriptEnabled: false, viewport: { width: 360, height: 740 } });
    const silent = await plain.newPage();
    await silent.goto(urls.shop);
    await silent.screenshot({ path: `${options.output}/shop-home-de-360.png`, fullPage: true });
    await press(silent, "#prove-age");
    await silent.screenshot({ path: `${options.output}/login-age-de-360.png`, fullPage: true });
    await press(silent, "#show-card");
    await silent.screenshot({ path: `${options.output}/wallet-consent-age-de-360.png`, fullPage: true });
    await press(silent, "button[value=yes]");
    expect(JSON.parse(await silent.textContent("#userinfo")).age_over_18 === true, "a proof of age without JavaScript");
    await plain.close();
  } finally {
    await browser.close();
    child.kill("SIGTERM");
  }
}

try {
  await story();
} catch (error) {
  findings.push(`the story stopped: ${error}`);
}
writeFileSync(`${options.output}/findings.json`, JSON.stringify(findings, null, 2));
for (const finding of findings) console.log(`finding: ${finding}`);
console.log(`${pages.size} pages, ${checks} checks, ${findings.length} findings; pictures in ${options.output}`);
process.exit(findings.length === 0 ? 0 : 1);
