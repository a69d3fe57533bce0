import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { canonicalJson } from "./canonical.mjs";
import { Reference } from "./executor.mjs";

const sdl = `
  scalar Siret
  interface Node { id: ID! }
  enum Kind { COMMUNE REGION }
  input Filter { kinds: [Kind!], siret: Siret }
  type Site implements Node { id: ID!, name: String!, seats(first: Int = 20, filter: Filter): [Seat!]! }
  type Seat implements Node { id: ID!, siret: Siret, site: Site, kind: Kind }
  union Found = Site | Seat
  type Query { node(id: ID!): Node, site: Site, found: [Found], broken: Site, missing: Int }
  type Mutation { rename(name: String!): Site }
`;
const data = {
  Query: {
    __typename: "Query",
    site: { ref: "site:1" },
    'node({"id":"seat:1"})': { ref: "seat:1" },
    found: [{ ref: "seat:1" }, { ref: "site:1" }, null],
    broken: { __typename: "Site", name: null },
  },
  Mutation: { __typename: "Mutation", 'rename({"name":"b"})': { ref: "site:1" } },
  "site:1": {
    __typename: "Site",
    id: "site:1",
    name: "Sud",
    'seats({"first":20})': [{ ref: "seat:1" }],
    'seats({"filter":{"kinds":["REGION"],"siret":"1"},"first":1})': [],
  },
  "seat:1": { __typename: "Seat", id: "seat:1", siret: { any: [1] }, site: { ref: "site:1" }, kind: "COMMUNE" },
};

/** The response as it is written, so that the order of keys is compared too. */
async function run(document, variables, operationName) {
  return JSON.stringify(await new Reference({ sdl, data }).execute({ document, variables, operationName }));
}

test("canonical JSON sorts keys at every depth and keeps lists in order", () => {
  assert.equal(canonicalJson({ b: [{ d: 1, c: null }, 2], a: { z: 1, y: 2 } }), '{"a":{"y":2,"z":1},"b":[{"c":null,"d":1},2]}');
});

test("fields, references, lists and cycles are read from the graph", async () => {
  assert.equal(
    await run("{ site { name seats { id site { id } kind } } }"),
    '{"data":{"site":{"name":"Sud","seats":[{"id":"seat:1","site":{"id":"site:1"},"kind":"COMMUNE"}]}}}',
  );
});

test("answers keep the order of the selection, aliases included", async () => {
  assert.equal(await run("{ b: site { name a: id } a: __typename }"), '{"data":{"b":{"name":"Sud","a":"site:1"},"a":"Query"}}');
});

test("arguments are canonical whatever their order or where they come from", async () => {
  const expected = '{"data":{"site":{"seats":[]}}}';
  assert.equal(await run('{ site { seats(first: 1, filter: {siret: "1", kinds: [REGION]}) { id } } }'), expected);
  const document = "query ($f: Filter) { site { seats(filter: $f, first: 1) { id } } }";
  assert.equal(await run(document, { f: { kinds: "REGION", siret: "1" } }), expected);
});

test("abstract types are resolved by __typename", async () => {
  assert.equal(
    await run('{ node(id: "seat:1") { __typename ... on Seat { siret } } found { __typename ... on Site { name } } }'),
    '{"data":{"node":{"__typename":"Seat","siret":{"any":[1]}},"found":[{"__typename":"Seat"},{"__typename":"Site","name":"Sud"},null]}}',
  );
});

test("null goes up to the nearest nullable field, and a field the graph lacks is an error", async () => {
  const broken = JSON.parse(await run("{ broken { name } missing }"));
  assert.deepEqual(broken.data, { broken: null, missing: null });
  assert.deepEqual(broken.errors.map((error) => error.path), [["broken", "name"], ["missing"]]);
  assert.match(broken.errors[1].message, /the graph has no Query\.missing/);
});

test("operations are chosen by name, mutations start from their root", async () => {
  const document = 'query A { site { id } } mutation B { rename(name: "b") { id } }';
  assert.equal(await run(document, undefined, "B"), '{"data":{"rename":{"id":"site:1"}}}');
});

test("documents and variables that are refused give errors without data", async () => {
  for (const [document, variables] of [["{"], ["{ nothing }"], ["query ($id: ID!) { node(id: $id) { id } }", {}]]) {
    const answer = JSON.parse(await run(document, variables));
    assert.ok(answer.errors.length > 0 && !("data" in answer), document);
  }
});

test("the process answers each line in order, then ends with its input", async () => {
  const process_ = spawn(process.execPath, [fileURLToPath(new URL("reference.mjs", import.meta.url))]);
  const lines = [{ sdl, data }, { id: 1, document: "{ site { id } }" }, { id: "two", document: "{ site { name } }" }];
  process_.stdin.end(lines.map((line) => JSON.stringify(line)).join("\n"));
  const [output, [status]] = await Promise.all([text(process_.stdout), once(process_, "exit")]);
  assert.equal(status, 0);
  assert.equal(
    output,
    '{"id":1,"result":{"data":{"site":{"id":"site:1"}}}}\n{"id":"two","result":{"data":{"site":{"name":"Sud"}}}}\n',
  );
});
