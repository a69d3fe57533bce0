/**
 * The reference executor as a process, for a test that compares the API with graphql-js.
 *
 * Standard input, one JSON value per line: first `{"sdl": "…", "url": "http://…/graphql", "authorization": "…"}`,
 * the last optional: the API whose rows are read (see executor.mjs); then requests
 * `{"id": 1, "document": "…", "variables": {…}, "operationName": "…"}`, the last two optional.
 * Standard output, one line per request, in order: `{"id": 1, "result": {"data": …, "errors": […]}}`.
 * Requests are executed as they come, several at once. The process ends with its input; a line that is no
 * request, or a schema that does not build, ends it with status 1.
 */
import { createInterface } from "node:readline";
import { Reference } from "./executor.mjs";

/** Queries that are under way at once. */
const AT_ONCE = 8;

/** Posts once more where a kept connection was closed by the server just then; queries can be repeated. */
async function post(url, request, tries = 3) {
  try {
    return await (await fetch(url, request)).json();
  } catch (error) {
    if (tries === 1) throw error;
    return await post(url, request, tries - 1);
  }
}

/** Queries of a server. */
function asking({ url, authorization }) {
  const headers = { "content-type": "application/json", accept: "application/json" };
  const waiting = [];
  let running = 0;
  if (authorization !== undefined) headers.authorization = authorization;
  return async (query) => {
    if (running >= AT_ONCE) await new Promise((resolve) => waiting.push(resolve));
    running += 1;
    try {
      return await post(url, { method: "POST", headers, body: JSON.stringify({ query }) });
    } finally {
      running -= 1;
      waiting.shift()?.();
    }
  };
}

let reference;
let written = Promise.resolve();
for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  const message = JSON.parse(line);
  if (reference === undefined) {
    reference = new Reference({ sdl: message.sdl, ask: asking(message) });
    continue;
  }
  const executed = reference.execute(message);
  written = written.then(async () => {
    process.stdout.write(`${JSON.stringify({ id: message.id, result: await executed })}\n`);
  });
}
await written;
