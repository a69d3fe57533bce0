import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { test } from "node:test";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { buildSchema, graphql } from "graphql";
import { Reference } from "./executor.mjs";

const sdl = `
  scalar Siret
  interface Node { id: ID! }
  enum Kind { COMMUNE REGION }
  input Filter { kinds: [Kind!], siret: Siret }
  input SiteBy @oneOf { id: ID }
  input SeatBy @oneOf { id: ID }
  type Source { system: String }
  type SeatConnection { nodes: [Seat!]!, totalCount: Int! }
  type Site implements Node { id: ID!, name: String!, seats(first: Int = 20, filter: Filter): SeatConnection! }
  type Seat implements Node { id: ID!, siret: Siret, site: Site, kind: Kind, sources: [Source!]! }
  type Query { node(id: ID!): Node, site(by: SiteBy!): Site, seat(by: SeatBy!): Seat, broken: Site }
`;

const site = { __typename: "Site", id: "site_1", name: "Sud", seats: ({ first, filter }) => page(filter ? [] : [seat].slice(0, first)) };
const seat = {
  __typename: "Seat", id: "seat_1", siret: "73282932000074", site: () => site, kind: "COMMUNE",
  sources: [{ system: "A" }, { system: "B" }],
};
const page = (nodes) => ({ nodes, totalCount: nodes.length });
const rows = {
  node: ({ id }) => [site, seat].find((row) => row.id === id) ?? null,
  site: ({ by }) => (by.id === "site_1" ? site : null),
  seat: ({ by }) => (by.id === "seat_1" ? seat : null),
  broken: { id: "site_2" },
};
const schema = buildSchema(sdl);
const ask = async (query) => JSON.parse(JSON.stringify(await graphql({ schema, source: query, rootValue: rows })));

/** The response as it is written, so that the order of keys is compared too; and what was asked for it. */
async function run(document, variables, operationName) {
  const asked = [];
  const reference = new Reference({ sdl, ask: (query) => (asked.push(query), ask(query)) });
  const answer = JSON.stringify(await reference.execute({ document, variables, operationName }));
  return { answer, asked };
}

test("each object is found by its key and asked for its values alone", async () => {
  const { answer, asked } = await run('{ site(by: {id: "site_1"}) { b: name seats { nodes { site { a: name } } } } }');
  assert.equal(answer, '{"data":{"site":{"b":"Sud","seats":{"nodes":[{"site":{"a":"Sud"}}]}}}}');
  assert.deepEqual(asked, [
    '{ site(by: {id: "site_1"}) { id } }',
    '{ site(by: {id: "site_1"}) { id name } }',
    '{ site(by: {id: "site_1"}) { seats(first: 20) { nodes { id } } } }',
    '{ seat(by: {id: "seat_1"}) { site { id } } }',
  ]);
});

test("objects without key are found by where they stand", async () => {
  const { answer } = await run('{ seat(by: {id: "seat_1"}) { sources { __typename system } } }');
  assert.equal(
    answer,
    '{"data":{"seat":{"sources":[{"__typename":"Source","system":"A"},{"__typename":"Source","system":"B"}]}}}',
  );
});

test("arguments are asked as literals, wherever they come from", async () => {
  const document = "query ($f: Filter) { site(by: {id: \"site_1\"}) { seats(filter: $f, first: 1) { totalCount } } }";
  const { answer, asked } = await run(document, { f: { siret: "1", kinds: "REGION" } });
  assert.equal(answer, '{"data":{"site":{"seats":{"totalCount":0}}}}');
  assert.match(asked.at(-1), /seats\(first: 1, filter: \{kinds: \[REGION\], siret: "1"\}\) \{ totalCount \}/);
});

test("objects behind an interface are resolved by their type", async () => {
  const { answer } = await run('{ node(id: "seat_1") { __typename ... on Seat { siret } ... on Site { name } } x: node(id: "x") { id } }');
  assert.equal(answer, '{"data":{"node":{"__typename":"Seat","siret":"73282932000074"},"x":null}}');
});

test("a query that fails is an error of the field that asked it", async () => {
  const { data, errors } = JSON.parse((await run("{ broken { name } }")).answer);
  assert.deepEqual([data, errors[0].path], [{ broken: null }, ["broken", "name"]]);
});

test("operations are chosen by name", async () => {
  const { answer } = await run('query A { __typename } query B { node(id: "seat_1") { id } }', undefined, "B");
  assert.equal(answer, '{"data":{"node":{"id":"seat_1"}}}');
});

test("documents and variables that are refused give errors without data, and nothing is asked", async () => {
  for (const [document, variables] of [["{"], ["{ nothing }"], ["query ($id: ID!) { node(id: $id) { id } }", {}]]) {
    const { answer, asked } = await run(document, variables);
    const { errors, data } = JSON.parse(answer);
    assert.ok(errors.length > 0 && data === undefined && asked.length === 0, document);
  }
});

test("the process answers each line in order, then ends with its input", async () => {
  const server = createServer(async (request, response) => {
    assert.equal(request.headers.authorization, "Bearer x");
    response.end(JSON.stringify(await ask(JSON.parse(await text(request)).query)));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${server.address().port}/graphql`;
  const process_ = spawn(process.execPath, [fileURLToPath(new URL("reference.mjs", import.meta.url))]);
  const lines = [
    { sdl, url, authorization: "Bearer x" },
    { id: 1, document: '{ site(by: {id: "site_1"}) { name } }' },
    { id: "two", document: "{ __typename }" },
  ];
  process_.stdin.end(lines.map((line) => JSON.stringify(line)).join("\n"));
  const [output, [status]] = await Promise.all([text(process_.stdout), once(process_, "exit")]);
  server.close();
  assert.equal(status, 0);
  assert.equal(output, '{"id":1,"result":{"data":{"site":{"name":"Sud"}}}}\n{"id":"two","result":{"data":{"__typename":"Query"}}}\n');
});
