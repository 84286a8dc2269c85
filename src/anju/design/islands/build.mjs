// Builds the islands into the static folders, where they are committed; `--check` only compares, and fails on a difference.
import { build } from "esbuild";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../../../..");
const check = process.argv.includes("--check");

/** source → what the browser loads */
const bundles = {
  "src/anju/design/islands/islands.ts": "src/anju/design/static/design/islands.js",
  "src/anju/portals/desk/islands/desk.ts": "src/anju/portals/desk/static/desk/desk.js",
  "src/anju/portals/desk/islands/sip.ts": "src/anju/portals/desk/static/desk/sip.js",
};
/** Mostly a library: small on the wire; its licence stays inside. */
const minified = new Set(["src/anju/portals/desk/islands/sip.ts"]);
const copies = {
  "node_modules/htmx.org/dist/htmx.min.js": "src/anju/design/static/design/vendor/htmx.min.js",
};

const stale = [];
function put(path, content) {
  const file = join(root, path);
  const same = existsSync(file) && readFileSync(file).equals(Buffer.from(content));
  if (same) return;
  if (check) stale.push(path);
  else writeFileSync(file, content);
}

for (const [from, to] of Object.entries(bundles)) {
  const result = await build({
    absWorkingDir: root,
    entryPoints: [from],
    bundle: true,
    format: "esm",
    target: "es2022",
    charset: "utf8",
    legalComments: "inline",
    minify: minified.has(from),
    write: false,
  });
  put(to, result.outputFiles[0].contents);
}
for (const [from, to] of Object.entries(copies)) put(to, readFileSync(join(root, from)));

if (stale.length) {
  console.error(`not what the sources build, run \`npm run build\` and commit:\n  ${stale.join("\n  ")}`);
  process.exit(1);
}
console.log(check ? "the committed scripts are what the sources build" : "built");
