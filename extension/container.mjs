/**
 * The prebuilt JupyterLab extension, made by esbuild instead of webpack's module federation: JupyterLab asks a
 * container for `./extension` and `./mimeExtension` and gives it the packages that it shares.
 *
 * The container is a few lines that load the files beside it. Those are CommonJS in a function that is given
 * `require`; `viewer`, which draws saved runs, is loaded when there is one to draw.
 */
import { createHash } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { build } from 'esbuild';

/** What JupyterLab shares; a bundle of our own would be another `Widget` than Lab's. */
const SHARED = [
  '@jupyterlab/*',
  '@lumino/*',
  '@codemirror/state',
  '@codemirror/view',
  '@codemirror/language',
];
/** How the code asks for a file that is loaded when it is needed: see `src/chunks.d.ts`. */
const CHUNKS = 'manta-nb/chunks';

const ENTRIES = { './extension': 'src/lab/index.ts', './mimeExtension': 'src/saved/index.ts' };
const VIEWER = 'src/saved/viewer.ts';

/** `{path: text}` of everything under `manta_nb/labextension`. */
export async function labextension(common) {
  const minified = { ...common, minify: true, write: false, metafile: true };
  const files = {};
  const add = (stem, code) => {
    const hash = createHash('sha256').update(code).digest('hex').slice(0, 12);
    const name = `${stem}.${hash}.js`;
    files[`static/${name}`] = code;
    return name;
  };
  const viewer = await build({ ...minified, entryPoints: [VIEWER], outfile: 'viewer.js' });
  const chunks = { viewer: add('viewer', viewer.outputFiles[0].text) };
  const entries = {};
  for (const [name, path] of Object.entries(ENTRIES)) {
    const made = await build({
      ...minified,
      entryPoints: [path],
      outfile: 'entry.js',
      format: 'cjs',
      external: [...SHARED, CHUNKS],
    });
    const outside = Object.values(made.metafile.outputs).flatMap((output) => output.imports);
    const needs = [...new Set(outside.filter((each) => each.external).map((each) => each.path))].sort();
    const code = `export default (require, module, exports) => {${made.outputFiles[0].text}};`;
    entries[name] = { file: add(name.slice(2), code), needs: needs.filter((each) => each !== CHUNKS) };
  }
  const { name } = JSON.parse(await readFile('package.json', 'utf8'));
  const [, version] = /^__version__ = "(.+)"$/m.exec(await readFile('../manta_nb/__init__.py', 'utf8'));
  const load = add('remoteEntry', container(name, entries, chunks));
  const built = { load: `static/${load}`, extension: './extension', mimeExtension: './mimeExtension' };
  files['package.json'] = json({
    name,
    version,
    description:
      'JupyterLab extension of manta-nb: a sidebar of nodes and runs, and cells that know what they are',
    license: 'Apache-2.0',
    jupyterlab: { extension: true, mimeExtension: true, schemaDir: 'schema', _build: built },
  });
  files['install.json'] = json({
    packageManager: 'python',
    packageName: name,
    uninstallInstructions: `pip uninstall ${name}`,
  });
  for (const each of (await readdir('schema')).sort())
    files[`schemas/${name}/${each}`] = await readFile(`schema/${each}`, 'utf8');
  return { ...files, ...(await course()) };
}

/** The notebooks of the course, which the browser copies to where a learner works. */
async function course() {
  const files = {};
  for (const name of (await readdir('../notebooks')).filter((each) => each.endsWith('.ipynb')).sort())
    files[`course/${name}`] = await readFile(`../notebooks/${name}`, 'utf8');
  const names = Object.keys(files).map((each) => each.replace('course/', ''));
  return { ...files, 'course/index.json': json(names) };
}

/** The code of `remoteEntry.js`. */
function container(name, entries, chunks) {
  return `(() => {
  const base = new URL('.', document.currentScript.src).href;
  const entries = ${JSON.stringify(entries)};
  const chunks = ${JSON.stringify(chunks)};
  const loaded = {};
  let scope;
  const older = (a, b) => {
    const [x, y] = [a, b].map((version) => version.split(/[.-]/).map((part) => parseInt(part, 10) || 0));
    return x[0] - y[0] || x[1] - y[1] || x[2] - y[2];
  };
  const shared = async (name) => {
    const versions = scope[name];
    if (!versions) throw new Error(${JSON.stringify(name)} + ': this JupyterLab does not share ' + name);
    return (await versions[Object.keys(versions).sort(older).pop()].get())();
  };
  const load = async ({ file, needs }) => {
    const found = await Promise.all(needs.map(async (name) => [name, await shared(name)]));
    const known = Object.fromEntries(found);
    known[${JSON.stringify(CHUNKS)}] = { load: (name) => import(base + chunks[name]) };
    const module = { exports: {} };
    (await import(base + file)).default((name) => known[name], module, module.exports);
    return module.exports;
  };
  (window._JUPYTERLAB ??= {})[${JSON.stringify(name)}] = {
    init: (given) => { scope = given; },
    get: async (name) => {
      const exports = await (loaded[name] ??= load(entries[name]));
      return () => exports;
    },
  };
})();
`;
}

function json(data) {
  return `${JSON.stringify(data, null, 2)}\n`;
}
