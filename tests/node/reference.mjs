/**
 * The reference executor as a process, for a test that compares the engine with graphql-js.
 *
 * Standard input, one JSON value per line: first `{"sdl": "…", "data": {…}}` (see executor.mjs), then requests
 * `{"id": 1, "document": "…", "variables": {…}, "operationName": "…"}`, the last two optional.
 * Standard output, one line per request, in order: `{"id": 1, "result": {"data": …, "errors": […]}}`.
 * Ends with its input. A line that is no request, or a schema that does not build, ends it with status 1.
 */
import { once } from "node:events";
import { createInterface } from "node:readline";
import { Reference } from "./executor.mjs";

let reference;
for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  const message = JSON.parse(line);
  if (reference === undefined) {
    reference = new Reference(message);
    continue;
  }
  const result = await reference.execute(message);
  const answer = `${JSON.stringify({ id: message.id, result })}\n`;
  if (!process.stdout.write(answer)) await once(process.stdout, "drain");
}
