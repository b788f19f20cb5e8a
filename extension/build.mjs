/**
 * Bundles the browser half of manta_nb; the outputs are committed, and the same sources give the same bytes.
 *
 *   node build.mjs             every widget into manta_nb/ui/static/, the extension into manta_nb/labextension/
 *   node build.mjs --check     fails if the committed files differ from what the sources give
 *   node build.mjs --watch     the same on every change
 *   node build.mjs --harness   the page that replays recorded runs, into harness/dist/
 *   node build.mjs --tests     the unit tests, into build/tests/
 */
import { build } from 'esbuild';
import { cp, mkdir, readFile, readdir, rm, watch, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { labextension } from './container.mjs';

process.chdir(import.meta.dirname);

/** A widget is one entry point and one file. */
const WIDGETS = { monitor: 'src/monitor/index.ts', builder: 'src/builder/index.ts' };

const COMMON = {
  bundle: true,
  format: 'esm',
  target: 'es2022',
  charset: 'utf8',
  legalComments: 'eof',
  loader: { '.css': 'text', '.svg': 'text', '.py': 'text' },
  // the folder this is built in must not show in the bytes
  absWorkingDir: process.cwd(),
  logLevel: 'warning',
};

const widgets = {
  ...COMMON,
  entryPoints: WIDGETS,
  outdir: '../manta_nb/ui/static',
  minify: true,
  plugins: [smallStyles()],
};

/** CSS as text, without the spaces and comments. */
function smallStyles() {
  return {
    name: 'small-styles',
    setup({ onLoad }) {
      onLoad({ filter: /\.css$/ }, async ({ path }) => {
        const { outputFiles } = await build({
          entryPoints: [path],
          minify: true,
          write: false,
          charset: 'utf8',
        });
        return { contents: outputFiles[0].text.trim(), loader: 'text' };
      });
    },
  };
}

/** Where the prebuilt extension is. */
const LAB = '../manta_nb/labextension';

const inLab = () => labextension({ ...COMMON, plugins: [smallStyles()] });

async function buildLab() {
  const files = await inLab();
  await rm(LAB, { recursive: true, force: true });
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(LAB, name)), { recursive: true });
    await writeFile(join(LAB, name), text);
  }
}

/** Build on every change, until Ctrl-C; a page that is reloaded has it. */
async function again() {
  for (;;) {
    const began = performance.now();
    await Promise.all([build(widgets), buildLab()])
      .then(() => console.log(`built in ${Math.round(performance.now() - began)} ms`))
      .catch((error) => console.error(error.message));
    for await (const each of watch('src', { recursive: true })) if (each.filename) break;
  }
}

async function check() {
  const { outputFiles } = await build({ ...widgets, write: false });
  const stale = [];
  const wanted = Object.fromEntries(outputFiles.map(({ path, text }) => [path, text]));
  const lab = Object.fromEntries(
    Object.entries(await inLab()).map(([name, text]) => [join(LAB, name), text]),
  );
  for (const [path, text] of Object.entries({ ...wanted, ...lab })) {
    const committed = await readFile(path, 'utf8').catch(() => '');
    if (committed !== text) stale.push(relative('..', path));
  }
  const there = await readdir(LAB, { recursive: true, withFileTypes: true }).catch(() => []);
  for (const each of there) {
    const path = join(each.parentPath, each.name);
    if (each.isFile() && !(path in lab)) stale.push(relative('..', path));
  }
  if (stale.length) throw new Error(`not built from these sources: ${stale.join(', ')}; type: npm run build`);
}

async function harness() {
  const out = 'harness/dist';
  await rm(out, { recursive: true, force: true });
  await mkdir(out, { recursive: true });
  await build({
    ...COMMON,
    entryPoints: { harness: 'harness/src/harness.ts' },
    outdir: out,
    plugins: [smallStyles()],
  });
  await cp('harness/index.html', `${out}/index.html`);
  await cp('node_modules/axe-core/axe.min.js', `${out}/axe.min.js`);
  await cp('fixtures', `${out}/fixtures`, { recursive: true }).catch(() => undefined);
}

async function tests() {
  await rm('build/tests', { recursive: true, force: true });
  const files = (await readdir('tests')).filter((name) => name.endsWith('.test.ts'));
  await build({
    ...COMMON,
    entryPoints: files.map((name) => `tests/${name}`),
    outdir: 'build/tests',
    platform: 'node',
    sourcemap: 'inline',
  });
}

const mode = process.argv[2];
if (mode === '--check') await check();
else if (mode === '--watch') await again();
else if (mode === '--harness') await harness();
else if (mode === '--tests') await tests();
else {
  await build(widgets);
  await buildLab();
}
