// An operator with a table of members, in headless Chromium without JavaScript: the link of an
// invitation, an upload, the file with the links. Then says what a page shows, as often as asked.
//
//   LINK, ISSUER, TABLE (a file)
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const { LINK, ISSUER, TABLE } = process.env;
const say = (what) => console.log(JSON.stringify(what));
const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

async function story() {
  const context = await browser.newContext({ locale: "en-GB", javaScriptEnabled: false });
  const page = await context.newPage();
  const press = (selector) => Promise.all([page.waitForNavigation(), page.click(selector)]);
  await page.goto(LINK);
  await press("main form button[type=submit]");
  await page.goto(`${ISSUER}/console/batches/new`);
  await page.selectOption("#type", "membership");
  await page.selectOption("#lifetime", "604800");
  await page.setInputFiles("#file", TABLE);
  await press("main form.panel button[type=submit]");
  const [download] = await Promise.all([page.waitForEvent("download"), page.click("#download")]);
  say({ file: readFileSync(await download.path(), "utf8") });
  await press("#progress");
  for await (const wanted of createInterface({ input: process.stdin })) {
    if (wanted === "progress") {
      await page.reload();
      const number = async (name) => Number(await page.getAttribute("#bar", name));
      say({ redeemed: await number("value"), size: await number("max"), again: (await page.getByText("Look again").count()) > 0 });
    } else {
      const list = await context.newPage();
      await list.goto(`${ISSUER}/console/credentials${wanted}`);
      let rows = await list.locator("tbody tr").count();
      for (let next = list.getByText("Older ones"); await next.count(); rows += await list.locator("tbody tr").count()) await Promise.all([list.waitForNavigation(), next.click()]);
      await list.close();
      say({ rows });
    }
  }
}

try {
  await story();
} catch (error) {
  say({ error: `${error}` });
  process.exitCode = 1;
} finally {
  await browser.close();
  process.exit();
}
