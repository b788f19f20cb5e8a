(() => {
  const base = new URL('.', document.currentScript.src).href;
  const entries = {"./extension":{"file":"extension.7faf10da6a00.js","needs":["@codemirror/language","@codemirror/state","@codemirror/view","@jupyterlab/application","@jupyterlab/apputils","@jupyterlab/codemirror","@jupyterlab/completer","@jupyterlab/coreutils","@jupyterlab/filebrowser","@jupyterlab/launcher","@jupyterlab/mainmenu","@jupyterlab/notebook","@jupyterlab/rendermime","@jupyterlab/services","@jupyterlab/settingregistry","@jupyterlab/statusbar","@jupyterlab/ui-components","@lumino/coreutils","@lumino/signaling","@lumino/widgets"]},"./mimeExtension":{"file":"mimeExtension.402fd628944c.js","needs":["@lumino/widgets"]}};
  const chunks = {"viewer":"viewer.42e1fec5e8eb.js"};
  const loaded = {};
  let scope;
  const older = (a, b) => {
    const [x, y] = [a, b].map((version) => version.split(/[.-]/).map((part) => parseInt(part, 10) || 0));
    return x[0] - y[0] || x[1] - y[1] || x[2] - y[2];
  };
  const shared = async (name) => {
    const versions = scope[name];
    if (!versions) throw new Error("manta-nb" + ': this JupyterLab does not share ' + name);
    return (await versions[Object.keys(versions).sort(older).pop()].get())();
  };
  const load = async ({ file, needs }) => {
    const found = await Promise.all(needs.map(async (name) => [name, await shared(name)]));
    const known = Object.fromEntries(found);
    known["manta-nb/chunks"] = { load: (name) => import(base + chunks[name]) };
    const module = { exports: {} };
    (await import(base + file)).default((name) => known[name], module, module.exports);
    return module.exports;
  };
  (window._JUPYTERLAB ??= {})["manta-nb"] = {
    init: (given) => { scope = given; },
    get: async (name) => {
      const exports = await (loaded[name] ??= load(entries[name]));
      return () => exports;
    },
  };
})();
