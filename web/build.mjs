/**
 * Bundles the explorer: `node build.mjs [EXAMPLES [DIST]]`.
 *
 * Takes the folder of the documents offered as examples and writes, into DIST, `index.html` and the files it
 * loads, each named by its hash and compressed by gzip. Nothing is loaded from elsewhere when the page runs.
 */
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { parse } from "graphql";

const here = dirname(fileURLToPath(import.meta.url));
const [examples = join(here, "../tests/it/contract"), dist = join(here, "dist")] = process.argv.slice(2);
const served = "/graphiql/";

const options = {
  absWorkingDir: here,
  bundle: true,
  entryNames: "[name]-[hash]",
  assetNames: "[name]-[hash]",
  chunkNames: "chunk-[hash]",
  define: { "process.env.NODE_ENV": '"production"' },
  format: "esm",
  legalComments: "none",
  loader: { ".ttf": "file", ".woff2": "file" },
  logLevel: "warning",
  metafile: true,
  minify: true,
  outdir: dist,
  publicPath: served,
  target: "es2022",
  write: false,
};

/** The name of what an entry point became, by the extension of the file. */
function output(result, entry, extension) {
  const [path, { cssBundle }] = Object.entries(result.metafile.outputs).find(([, out]) => out.entryPoint === entry);
  return basename(extension === ".css" ? cssBundle : path);
}

/** Each operation of a document, with the comment before it and the variables to send. */
function operations(file) {
  const text = readFileSync(join(examples, file), "utf8");
  const variables = JSON.parse(readFileSync(join(here, "src/variables.json"), "utf8"));
  let from = 0;
  return parse(text).definitions.map(({ name, loc }) => {
    const query = text.slice(from, loc.end).trim();
    from = loc.end;
    return { name: name.value, query, variables: variables[name.value] };
  });
}

const documents = readdirSync(examples).filter((file) => file.endsWith(".graphql")).sort();
const groups = documents.map((file) => ({ name: basename(file, ".graphql"), operations: operations(file) }));

const entries = { editor: "monaco-editor/esm/vs/editor/editor.worker.js", json: "monaco-editor/esm/vs/language/json/json.worker.js", graphql: "monaco-graphql/esm/graphql.worker.js" };
const files = [];
const workers = {};
for (const [label, path] of Object.entries(entries)) {
  const result = await build({ ...options, entryPoints: { [label]: path }, entryNames: `${label}-worker-[hash]` });
  files.push(...result.outputFiles);
  workers[label] = served + basename(result.outputFiles[0].path);
}

const page = await build({
  ...options,
  entryPoints: { explorer: "src/explorer.jsx" },
  define: { ...options.define, EXAMPLES: JSON.stringify(groups), WORKERS: JSON.stringify(workers) },
  jsx: "automatic",
  splitting: true,
});
files.push(...page.outputFiles);
const html = readFileSync(join(here, "src/index.html"), "utf8")
  .replace("{script}", served + output(page, "src/explorer.jsx", ".js"))
  .replace("{style}", served + output(page, "src/explorer.jsx", ".css"));

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist, { recursive: true });
for (const { path, contents } of files) writeFileSync(join(dist, `${basename(path)}.gz`), gzipSync(contents, { level: 9 }));
writeFileSync(join(dist, "index.html.gz"), gzipSync(html, { level: 9 }));
