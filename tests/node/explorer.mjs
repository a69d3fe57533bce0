/**
 * Looks at the pages in a headless browser: `node explorer.mjs http://127.0.0.1:8080 [TOKEN [FOLDER]]`.
 *
 * Prints, as JSON, what was asked from elsewhere, what the pages complained of, and what they showed; pictures of
 * them go into the folder, if one is given. `CHROMIUM` names the browser, /usr/bin/chromium unless told.
 */
import { join } from "node:path";
import { chromium } from "playwright-core";

const [origin, token, folder] = process.argv.slice(2);
if (origin === undefined) {
  console.error("usage: node explorer.mjs URL [TOKEN [FOLDER]]");
  process.exit(2);
}

// Playwright makes a fresh folder for the browser, and removes it
const quiet = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const browser = await chromium.launch({ executablePath, args: quiet, chromiumSandbox: false });
const seen = { outside: [], complaints: [] };
try {
  const context = await browser.newContext({ viewport: { width: 1400, height: 850 }, locale: "fr-FR" });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  context.on("request", (request) => {
    const { protocol, origin: asked } = new URL(request.url());
    if (asked !== origin && !["data:", "blob:"].includes(protocol)) seen.outside.push(request.url());
  });
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) seen.complaints.push(message.text());
  });
  page.on("pageerror", (error) => seen.complaints.push(String(error)));
  const picture = async (name) => folder && (await page.screenshot({ path: join(folder, `${name}.png`) }));

  await page.goto(origin);
  seen.counts = await page.locator(".counts dd").allTextContents();
  await picture("landing");

  await page.getByRole("link", { name: /^Explorer/ }).click();
  await page.locator(".graphiql-query-editor .view-line").first().waitFor();
  seen.title = await page.title();
  seen.examples = await page.locator("#examples option:not([disabled])").allTextContents();

  const answer = async () => {
    const [response] = await Promise.all([
      page.waitForResponse((response) => response.request().postData()?.includes('"Me"') ?? false),
      // by its name: while an answer is awaited, the same button stops
      page.getByRole("button", { name: /^Execute/ }).click(),
    ]);
    const body = await response.json();
    // what the page shows, and not only what the server sent
    await page.locator(".graphiql-response .view-lines").getByText(body.data.viewer.role, { exact: false }).first().waitFor();
    return body.data.viewer.role;
  };
  const example = async (name) => {
    await page.locator("#examples").selectOption({ label: name });
    // once the editor shows it: before, the button would run what stood there
    await page.locator(".graphiql-query-editor .view-lines").getByText(name, { exact: true }).first().waitFor();
    await page.locator(".graphiql-tab-active, .graphiql-tab[aria-selected='true']").getByText(name).first().waitFor();
  };
  const ask = async (query, variables) => {
    const headers = { authorization: `Bearer ${token.replace(/^Bearer /, "")}`, "content-type": "application/json" };
    const answer = await (await fetch(`${origin}/graphql`, { method: "POST", headers, body: JSON.stringify({ query, variables }) })).json();
    if (answer.errors || answer.data.updateAction?.userErrors.length) throw new Error(JSON.stringify(answer));
    return answer.data;
  };
  await example("Me");
  seen.role = await answer();
  if (token !== undefined) {
    await page.locator("#token").fill(token);
    seen.roleWithToken = await answer();
  }
  await picture("explorer");

  if (token !== undefined) {
    await example("Live");
    const opened = page.waitForEvent("websocket");
    await page.getByRole("button", { name: /^Execute/ }).click();
    const socket = await opened;
    seen.socket = socket.url();
    const shown = page.locator(".graphiql-response .view-lines").getByText("UPSERT").first().waitFor().then(() => true);
    const { actions } = await ask("{ actions(first: 1) { nodes { id innovative } } }");
    let [{ id, innovative }] = actions.nodes;
    // nobody is told when the server has begun to follow: written until it shows
    while (seen.event === undefined) {
      innovative = !innovative;
      await ask("mutation ($id: ID!, $innovative: Boolean!) { updateAction(input: { id: $id, innovative: $innovative }) { userErrors { code } } }", { id, innovative });
      seen.event = await Promise.race([shown, page.waitForTimeout(500)]);
    }
    await picture("subscription");
    const closed = socket.waitForEvent("close");
    await page.getByRole("button", { name: /^Stop/ }).click();
    await closed;
    seen.stopped = true;
  }

  await page.getByRole("button", { name: "Show Documentation Explorer" }).click();
  const docs = page.locator(".graphiql-doc-explorer");
  await docs.getByRole("link", { name: "Query", exact: true }).click();
  await docs.getByRole("link", { name: "sites", exact: true }).first().waitFor();
  seen.documented = await docs.locator(".graphiql-doc-explorer-title").textContent();
  await picture("documentation");
} finally {
  await browser.close();
}
console.log(JSON.stringify(seen, null, 2));
