/**
 * Bundles the browser half of manta_nb; the outputs are committed, and the same sources give the same bytes.
 *
 *   node build.mjs             every widget into manta_nb/ui/static/
 *   node build.mjs --check     fails if the committed files differ from what the sources give
 *   node build.mjs --watch     the same on every change
 *   node build.mjs --harness   the page that replays recorded runs, into harness/dist/
 *   node build.mjs --tests     the unit tests, into build/tests/
 */
import { build, context } from 'esbuild';
import { cp, mkdir, readFile, readdir, rm } from 'node:fs/promises';

process.chdir(import.meta.dirname);

/** A widget is one entry point and one file. */
const WIDGETS = { monitor: 'src/monitor/index.ts', builder: 'src/builder/index.ts' };

const COMMON = {
  bundle: true,
  format: 'esm',
  target: 'es2022',
  charset: 'utf8',
  legalComments: 'eof',
  loader: { '.css': 'text' },
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

async function check() {
  const { outputFiles } = await build({ ...widgets, write: false });
  const stale = [];
  for (const { path, text } of outputFiles) {
    const committed = await readFile(path, 'utf8').catch(() => '');
    if (committed !== text) stale.push(path);
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
else if (mode === '--watch') await (await context({ ...widgets, logLevel: 'info' })).watch();
else if (mode === '--harness') await harness();
else if (mode === '--tests') await tests();
else await build(widgets);
