// Gives packages that have no option for it `ioengine/fs` as their fs: whatever below node_modules asks for node:fs
// gets ours, by require and by import. For this process only.
import Module, { createRequire } from 'node:module';
import path from 'node:path';

const require = createRequire(import.meta.url);
const ours = { fs: 'ioengine/fs', 'fs/promises': 'ioengine/fs/promises' };
const isPackage = (file) => file?.includes(`${path.sep}node_modules${path.sep}`);

function replaceRequire() {
  const load = Module._load;
  Module._load = function (request, parent, ...others) {
    const name = ours[request.replace(/^node:/, '')];
    if (name !== undefined && isPackage(parent?.filename)) return require(name);
    return Reflect.apply(load, this, [request, parent, ...others]);
  };
}

function replaceImport() {
  const urls = Object.fromEntries(Object.entries(ours).map(([name, wanted]) => [name, import.meta.resolve(wanted)]));
  const hooks = `
    const urls = ${JSON.stringify(urls)};
    export function resolve(specifier, context, next) {
      const url = urls[specifier.replace(/^node:/, '')];
      if (url !== undefined && context.parentURL?.includes('/node_modules/')) return { url, shortCircuit: true };
      return next(specifier, context);
    }`;
  Module.register(`data:text/javascript,${encodeURIComponent(hooks)}`);
}

export function giveOursToPackages() {
  replaceRequire();
  replaceImport();
}
