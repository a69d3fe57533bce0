/**
 * Runs every audit of graphql-http against a running server: `node audits.mjs http://127.0.0.1:8080/graphql`.
 *
 * Prints the counts and each audit that is not satisfied; SHOULD and MAY count as much as MUST.
 * Status 0 when all are satisfied, 1 when not, 2 when called without a URL.
 */
import { auditServer } from "graphql-http";

const [url] = process.argv.slice(2);
if (url === undefined) {
  console.error("usage: node audits.mjs URL");
  process.exit(2);
}

const results = await auditServer({ url });
const failures = results.filter((result) => result.status !== "ok");
for (const { id, name, reason, response } of failures) {
  console.log(`not satisfied: ${id} ${name}\n  ${reason} (status ${response.status})`);
}
console.log(`audits: ${results.length - failures.length} satisfied, ${failures.length} not`);
process.exitCode = failures.length === 0 && results.length > 0 ? 0 : 1;
