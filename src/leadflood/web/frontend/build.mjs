// Bundles, names by content and compresses what the pages load. scripts/build_frontend.py starts it:
// `node build.mjs <folder of package.json and node_modules> <empty output folder> <digest of the sources>`.

import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, realpathSync, renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, parse, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const [work, out, inputs] = process.argv.slice(2);
const here = fileURLToPath(new URL(".", import.meta.url));
const modules = realpathSync(join(work, "node_modules"));
const fromModules = createRequire(join(work, "package.json"));
const { build } = fromModules("esbuild");
const subsetFont = fromModules("subset-font");

const ENTRIES = [
  { in: "css/index.css", out: "app" },
  { in: "js/app.js", out: "app" },
  { in: "css/plots.css", out: "plots" },
  { in: "js/plots.js", out: "plots" },
  { in: "js/service-worker.js", out: "service-worker" },
  ...readdirSync(join(here, "images")).map((name) => ({ in: `images/${name}`, out: parse(name).name })),
];
const TEXT = new Set([".css", ".js", ".svg", ".txt"]);

class Refusal extends Error {}

const read = (...path) => readFileSync(join(...path), "utf8");

// What css/fonts.css says of each font file: { text: all its characters, wght: the range of its weights }.
function fontFaces() {
  const characters = ([first, last = first]) => {
    const codes = Array.from({ length: last - first + 1 }, (_, index) => first + index);
    return String.fromCodePoint(...codes);
  };
  const face = (block) => {
    const [, min, max] = block.match(/font-weight:\s*(\d+)\s+(\d+)/);
    const ranges = block.match(/unicode-range:([^;]*)/)[1].split(",");
    const text = ranges.map((range) => characters(range.trim().slice(2).split("-").map((code) => parseInt(code, 16)))).join("");
    return [block.match(/([\w-]+\.woff2)/)[1], { text, wght: { min: Number(min), max: Number(max) } }];
  };
  return new Map([...read(here, "css", "fonts.css").matchAll(/@font-face\s*{([^}]*)}/g)].map(([, block]) => face(block)));
}

// Cutting takes a second, so that the result is kept.
async function cutDown(original, { text, wght }) {
  const key = createHash("sha256").update(original).update(JSON.stringify([text, wght])).digest("hex");
  const kept = join(work, `font-${key}.woff2`);
  if (!existsSync(kept)) {
    const font = await subsetFont(original, text, { targetFormat: "woff2", variationAxes: { wght } });
    writeFileSync(`${kept}.new`, font);
    renameSync(`${kept}.new`, kept);
  }
  return readFileSync(kept);
}

const fonts = {
  name: "fonts",
  setup({ onLoad }) {
    const faces = fontFaces();
    onLoad({ filter: /\.woff2$/ }, async ({ path }) => {
      return { contents: await cutDown(readFileSync(path), faces.get(parse(path).base)), loader: "copy" };
    });
  },
};

function bundle(banner) {
  return build({
    absWorkingDir: here,
    nodePaths: [modules],
    entryPoints: ENTRIES,
    entryNames: "[name].[hash]",
    assetNames: "[name].[hash]",
    outdir: out,
    bundle: true,
    minify: true,
    format: "esm",
    target: ["chrome123", "firefox121", "safari17.5"],
    plugins: [fonts],
    loader: { ".svg": "copy", ".png": "copy", ".webp": "copy" },
    legalComments: "none",
    banner: { js: banner, css: banner },
    charset: "utf8",
    metafile: true,
    logLevel: "warning",
    logLimit: 10,
  });
}

// Of everything in the lock that is not for building alone: [{ name, version, licence, text }].
function licences() {
  const locked = Object.entries(JSON.parse(read(here, "package-lock.json")).packages);
  return locked.filter(([folder, { dev }]) => folder && !dev).map(([folder, { version }]) => {
    const name = folder.replace(/^.*node_modules\//, "");
    const file = readdirSync(join(work, folder)).find((entry) => /^licen[cs]e/i.test(entry));
    if (!file) throw new Refusal(`${name} has no licence file, and may not be shipped: use another package`);
    const { license } = JSON.parse(read(work, folder, "package.json"));
    return { name, version, licence: license, text: read(work, folder, file).trim() };
  });
}

function writeLicences(found) {
  const text = found.map((each) => `${each.name} ${each.version} (${each.licence})\n\n${each.text}\n`).join(`\n${"=".repeat(80)}\n\n`);
  const file = `licenses.${createHash("sha256").update(text).digest("hex").slice(0, 8).toUpperCase()}.txt`;
  writeFileSync(join(out, file), text);
  return file;
}

// Name → the markup inside <svg>, of each icon that icons.txt names.
function icons() {
  const folder = join(modules, "lucide-static", "icons");
  const known = new Set(readdirSync(folder).map((file) => parse(file).name));
  const wanted = read(here, "icons.txt").split("\n").map((line) => line.trim()).filter((line) => line && !line.startsWith("#"));
  const unknown = wanted.filter((name) => !known.has(name));
  if (unknown.length) {
    const near = (name) => [...known].filter((each) => name.split("-").some((word) => each.split("-").includes(word)));
    const told = unknown.map((name) => `${name} (alike: ${near(name).slice(0, 8).join(", ") || "none"})`);
    throw new Refusal(`icons.txt names icons that lucide-static does not have: ${told.join("; ")}`);
  }
  const inner = (name) => read(folder, `${name}.svg`).match(/<svg[^>]*>([\s\S]*)<\/svg>/)[1];
  return Object.fromEntries(wanted.map((name) => [name, inner(name).trim().replace(/>\s+</g, "><")]));
}

// Writes .gz and .br next to a text where they are smaller. Returns all sizes in bytes, 0 for a form that is not there.
function compressed(file) {
  const content = readFileSync(join(out, file));
  const sizes = { file, bytes: content.length, gzip: 0, brotli: 0 };
  if (!TEXT.has(parse(file).ext)) return sizes;
  const text = { params: { [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT } };
  const forms = [["gzip", ".gz", gzipSync(content, { level: 9 })], ["brotli", ".br", brotliCompressSync(content, text)]];
  for (const [form, suffix, packed] of forms.filter(([, , packed]) => packed.length < content.length)) {
    writeFileSync(join(out, file + suffix), packed);
    sizes[form] = packed.length;
  }
  return sizes;
}

// The files by the names that templates use. `own` is what our own modules contribute, in bytes after minifying.
function files(outputs) {
  const isOurs = (input) => relative(modules, resolve(here, input)).startsWith("..");
  return Object.fromEntries(Object.entries(outputs).map(([path, { entryPoint, inputs: parts }]) => {
    const { base, ext } = parse(path);
    const entry = ENTRIES.find((each) => each.in === entryPoint);
    const own = Object.entries(parts).filter(([input]) => isOurs(input)).reduce((sum, [, part]) => sum + part.bytesInOutput, 0);
    return [entry ? entry.out + ext : parse(Object.keys(parts)[0]).base, { ...compressed(base), own }];
  }));
}

async function main() {
  const found = licences();
  const licencesFile = writeLicences(found);
  const { metafile } = await bundle(`/* Third-party licences: ${licencesFile} */`);
  const manifest = {
    inputs,
    files: { ...files(metafile.outputs), "licenses.txt": { ...compressed(licencesFile), own: 0 } },
    icons: icons(),
    licences: found.map(({ text, ...rest }) => rest),
  };
  writeFileSync(join(out, "manifest.json"), JSON.stringify(manifest, null, 1));
}

main().catch((fault) => {
  // esbuild has printed its own errors, with file and line; anything else but a refusal is a fault of this script.
  if (!fault.errors) console.error(fault instanceof Refusal ? fault.message : fault);
  process.exitCode = 1;
});
