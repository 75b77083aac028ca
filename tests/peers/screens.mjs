// Pages of the login service in headless Chromium. Each line that comes in is a page: `name`, `path`,
// `language`, the `cookies` of whose it is, and maybe what is typed and pressed first. Each is looked at on a phone and,
// in English, on a desk: sideways scroll, tables that are cut off, what axe finds serious. Says what was found, a line
// for each page. SHOTS names a folder for pictures in every width and scheme.
//
//   OP (the service), AT (the port where it really is), SHOTS (optional)
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const { OP, AT, SHOTS } = process.env;
const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const few = [[360, "light"], [1280, "dark"]];
const all = [...few, [360, "dark"], [1280, "light"]];

if (SHOTS) mkdirSync(SHOTS, { recursive: true });

const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", `--host-resolver-rules=MAP ${new URL(OP).host} 127.0.0.1:${AT}`],
});

async function look({ name, path, language, cookies, fill, press, open }) {
  const findings = [];
  const context = await browser.newContext({ locale: language, bypassCSP: true });
  await context.addCookies(Object.entries(cookies).map(([name, value]) => ({ name, value, url: OP })));
  const page = await context.newPage();
  page.on("pageerror", (error) => findings.push(`${error}`));
  await page.goto(`${OP}${path}`);
  for (const [field, value] of Object.entries(fill ?? {})) await page.fill(field, value);
  if (press) await Promise.all([page.waitForNavigation(), page.click(press)]);
  if (open) await page.click(open);
  const { lang, dir } = await page.evaluate(() => ({ lang: document.documentElement.lang, dir: document.documentElement.dir }));
  if (lang !== language || dir !== (language === "ar" ? "rtl" : "ltr")) findings.push(`in ${lang}, ${dir}`);
  for (const [width, scheme] of SHOTS ? all : language === "en" ? few : few.slice(0, 1)) {
    await page.setViewportSize({ width, height: width < 500 ? 740 : 900 });
    await page.emulateMedia({ colorScheme: scheme });
    if (SHOTS) await page.screenshot({ path: `${SHOTS}/${name}-${language}-${width}-${scheme}.png`, fullPage: true });
    const cut = await page.evaluate(() => {
      const wide = (one) => one.scrollWidth > one.clientWidth;
      return [document.documentElement, ...document.querySelectorAll(".table:has(.stack)")].filter(wide).map((one) => `${one.localName} ${one.ariaLabel ?? ""} by ${one.scrollWidth - one.clientWidth} px`);
    });
    for (const one of cut) findings.push(`at ${width}: scrolls sideways: ${one}`);
    await page.evaluate(axeSource);
    const { violations } = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"], runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] }));
    for (const { id, nodes } of violations) findings.push(`at ${width}, ${scheme}: ${id}: ${nodes.map((node) => node.html).join(" ").slice(0, 300)}`);
  }
  await context.close();
  return findings;
}

for await (const line of createInterface({ input: process.stdin })) {
  const page = JSON.parse(line);
  const findings = await look(page).catch((error) => [`${error}`]);
  console.log(JSON.stringify({ page: `${page.name}-${page.language}`, findings }));
}
await browser.close();
process.exit(0);
