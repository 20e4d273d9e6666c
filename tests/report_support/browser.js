// Opens reports in headless Chromium at three widths and uses them as a reader would; ends with 1 if anything is amiss.
//
// usage: NODE_PATH=…/node_modules node browser.js PAGE…     SHOTS=DIR keeps screenshots
"use strict";
const { chromium } = require("playwright-core");
const fs = require("fs");
const path = require("path");
const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const VIEWS = [[1280, "light"], [768, "dark"], [375, "light"]];
const failures = [];
let where = "";
const must = (holds, what) => { if (!holds) failures.push(`${where}: ${what}`); };

async function look(browser, file, width, colorScheme) {
  const name = path.basename(path.dirname(file)) === "out" ? "server" : path.basename(file, ".html");
  where = `${name} at ${width} ${colorScheme}`;
  const context = await browser.newContext({ viewport: { width, height: 800 }, colorScheme, acceptDownloads: false });
  const page = await context.newPage();
  page.on("console", (message) => { if (["error", "warning"].includes(message.type())) must(false, `console: ${message.text()}`); });
  page.on("pageerror", (error) => must(false, `error: ${error.message}`));
  page.on("dialog", (dialog) => { must(false, "a dialog"); dialog.dismiss(); });
  page.on("request", (request) => must(request.url() === `file://${file}` || request.url().startsWith("data:"), `request: ${request.url()}`));
  await page.goto(`file://${file}`);
  // What a reader waits for: parsed, run and laid out. The first time is that of a cold browser on a machine with other work.
  const time = () => page.evaluate(() => Math.round(performance.getEntriesByType("navigation")[0].loadEventEnd));
  let opened = await time();
  if (opened >= 1000) { await page.reload(); opened = await time(); }
  must(opened < 1000, `opens in under a second, not in ${opened} ms`);
  must(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "scrolls sideways");
  const spilled = await page.evaluate(() => [...document.querySelectorAll(".map .boxes > g")].filter((box) => {
    const frame = box.querySelector("rect").getBoundingClientRect();
    const texts = [...box.querySelectorAll("text")].map((text) => text.getBoundingClientRect());
    const [label] = texts, number = box.querySelector(".num")?.getBoundingClientRect();
    return frame.width > 0 && (texts.some((text) => text.right > frame.right || text.left < frame.left) || (number && number.left < label.right));
  }).map((box) => box.textContent));
  const wide = await page.evaluate(() => [...document.querySelectorAll(".tree g")].filter((cell) => {
    const frame = cell.querySelector("rect").getBoundingClientRect();
    return frame.width > 0 && [...cell.querySelectorAll("text")].some((text) => text.getBoundingClientRect().right > frame.right);
  }).map((cell) => cell.textContent));
  must(wide.length === 0, `texts of areas stay in them: ${wide.slice(0, 3)}`);
  must(spilled.length === 0, `texts of the map stay in their boxes: ${spilled.slice(0, 3)}`);
  if (process.env.SHOTS) await page.screenshot({ path: path.join(process.env.SHOTS, `${name}-${width}-${colorScheme}.png`) });
  await use(page);
  await page.evaluate(axe);
  const found = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  for (const violation of found.violations) {
    const grave = ["serious", "critical"].includes(violation.impact);
    if (grave) must(false, `axe: ${violation.id}: ${violation.help}: ${violation.nodes[0].html.slice(0, 160)}`);
    else console.log(`${where}: axe (${violation.impact}): ${violation.id}`);
  }
  // On paper nothing lies beyond its edge, and what mends a factor is still there.
  await page.emulateMedia({ media: "print" });
  await page.setViewportSize({ width: 688, height: 980 });
  const beyond = await page.evaluate(() => [...document.querySelectorAll("main td, main th, main svg")]
    .filter((part) => part.getBoundingClientRect().right > innerWidth + 1).map((part) => part.textContent.trim().slice(0, 40)));
  must(beyond.length === 0, `fits on paper: ${beyond.slice(0, 3)}`);
  must(await page.evaluate(() => [...document.querySelectorAll(".card[open] .fall .more")].every((part) => part.offsetHeight > 0)), "remedies are printed");
  await page.emulateMedia({ media: null });
  await page.setViewportSize({ width, height: 800 });
  const pdf = await page.pdf({ format: "A4" });
  must(pdf.subarray(0, 5).toString() === "%PDF-" && pdf.length > 10000, "prints to PDF");
  console.log(`${where}: opened in ${opened} ms, PDF of ${Math.round(pdf.length / 1024)} KiB, ${(fs.statSync(file).size / 1024).toFixed(0)} KiB of HTML`);
  await context.close();
}

async function use(page) {
  // The first stop of the keyboard leads to the content.
  await page.keyboard.press("Tab");
  must(await page.evaluate(() => document.activeElement.className === "skip"), "the first stop is the skip link");
  const total = await page.evaluate(() => JSON.parse(document.getElementById("data").textContent).concerns.length);
  const groups = page.locator("#list > details");
  if (total > 0) {
    must(await groups.count() > 0, "concerns are listed");
    await page.keyboard.press("/");
    must(await page.evaluate(() => document.activeElement.id === "query"), "a slash leads to the search");
    await page.keyboard.type("no-such-word-anywhere");
    await page.waitForFunction(() => document.querySelectorAll("#list > details").length === 0);
    must((await page.locator("#found").textContent()).startsWith("0 concerns"), "nothing is found, and it says so");
    await page.keyboard.press("Escape");
    const all = await groups.count();
    const rule = await groups.last().locator("summary code").textContent();
    await page.fill("#query", rule);
    await page.waitForFunction((all) => document.querySelectorAll("#list > details").length < all || all === 1, all);
    must(await groups.first().locator("mark").count() > 0, "what was searched for is marked");
    must(await groups.first().evaluate((group) => group.open), "a narrow search opens what it finds");
    must(await page.locator("#list .evidence").count() > 0, "evidence is shown");
    await page.fill("#query", "");
    await page.waitForFunction((all) => document.querySelectorAll("#list > details").length === all, all);
    const before = await page.locator("#found").textContent();
    await page.locator("#severities input").first().uncheck();
    must(await page.locator("#found").textContent() !== before, "a severity can be left out");
    await page.locator("#severities input").first().check();
    await groups.first().locator("summary").click();
    await groups.first().locator(".times li").first().waitFor();
    const more = groups.first().locator(".in > button");
    if (await more.isVisible()) {
      const shown = await groups.first().locator(".times li").count();
      await more.click();
      must(await groups.first().locator(".times li").count() > shown, "more are shown");
    }
  }
  // What if a factor were mended: the sum follows.
  const box = page.locator(".card[open] .fall li[data-points] input").first();
  if (await box.count()) {
    const fall = page.locator(".card[open] .fall:has(li[data-points])").first();
    const sum = await fall.locator(".sum").textContent();
    await box.check();
    must(await fall.locator(".sum").textContent() !== sum, "the sum follows what is mended");
    must(/would become/.test(await fall.locator(".whatif").textContent()), "and it is said");
    await box.uncheck();
    must(await fall.locator(".sum").textContent() === sum, "and back");
  }
  // A link to a closed card opens it.
  const link = page.locator(".moves li a").last();
  if (await link.count()) {
    await link.click();
    await page.waitForFunction(() => document.querySelector(decodeURIComponent(location.hash).replace(/[^\w#-]/g, "\\$&"))?.open !== false);
  }
  const kernel = page.locator(".card[open] [data-kernel]").first();
  if (await kernel.count()) {
    await kernel.locator("summary").first().click();
    await kernel.locator(".chips code").first().waitFor({ state: "attached" });
    must(!/undefined|NaN/.test(await kernel.textContent()), "and all of it is known");
  }
  const copy = page.locator(".shown button");
  if (await copy.count()) {
    await page.locator(".viewer [role=tab]").nth(1).click();
    await page.keyboard.press("ArrowDown");
    must(await page.locator(".viewer [role=tab]").nth(2).getAttribute("aria-selected") === "true", "arrows walk through the files");
    must((await page.locator(".shown code").textContent()).length > 0, "a file is shown");
    await copy.click();
    await page.waitForFunction(() => document.querySelector(".shown button").textContent === "Copied");
  }
  if (await page.locator("#packages").isVisible()) {
    await page.locator("#packages > summary").click();
    await page.locator("#packages tbody tr").first().waitFor();
  }
  await page.locator("#theme").click();
  must(await page.evaluate(() => document.documentElement.dataset.theme === "light"), "the theme changes");
  await page.locator("#theme").click();
  await page.locator("#theme").click();
}

(async () => {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
  });
  for (const file of process.argv.slice(2)) {
    for (const [width, scheme] of VIEWS) await look(browser, file, width, scheme);
  }
  await browser.close();
  for (const failure of failures) console.log(`FAILED ${failure}`);
  process.exit(failures.length ? 1 : 0);
})().catch((error) => { console.log(`FAILED ${where}: ${error.stack}`); process.exit(1); });
