// webpack bundles an application of 80 modules. The bundle does what the one of plain node does, byte for byte, and a
// second build gets its modules from the cache that the first one has left. What webpack writes and reads there passes
// asynchronous functions too.
import fs from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { patternText } from '../helpers/tempdir.mjs';
import { describeClient } from './support/clients.mjs';
import { found, sums, tool } from './support/tree.mjs';

const MODULES = 80;

function makeApplication(top) {
  const write = (name, text) => {
    fs.mkdirSync(path.dirname(path.join(top, name)), { recursive: true });
    fs.writeFileSync(path.join(top, name), text);
  };
  const names = Array.from({ length: MODULES }, (_, index) => `./part-${index % 6}/module-${index}.js`);
  for (const [index, name] of names.entries()) {
    const comment = patternText(1000 + index * 100, index + 1).replaceAll('\n', '\n// ');
    const before = index >= 6 ? `import { value as before } from './module-${index - 6}.js';` : 'const before = 0;';
    write(name, `${before}\n// ${comment}\nexport const value = before + ${index};\n`);
  }
  write('node_modules/dependency/package.json', '{ "name": "dependency", "main": "./lib/main.js" }');
  write('node_modules/dependency/lib/main.js', "exports.greet = (name) => 'hello, ' + name;\n");
  write('data.json', JSON.stringify({ words: ['from', 'json'] }));
  write('asset.txt', patternText(200_000, 3));
  write('later.js', "export const later = () => 'a chunk of its own';\n");
  write(
    'index.js',
    `${names.map((name, index) => `import { value as v${index} } from '${name}';`).join('\n')}
     import { greet } from 'dependency';
     import data from './data.json';
     import asset from './asset.txt';
     const sum = ${names.map((_, index) => `v${index}`).join(' + ')};
     import('./later.js').then(({ later }) => console.log(greet('bundle'), sum, data.words.join(' '), asset.length > 4, later()));
    `,
  );
}

/** What the sum in the bundle has to be: each module adds its number to that of the one six before it. */
function expectedSum() {
  const values = [];
  for (let index = 0; index < MODULES; index++) values.push(index + (values[index - 6] ?? 0));
  return values.reduce((sum, value) => sum + value, 0);
}

describeClient('webpack', {
  does: `bundles ${MODULES} modules twice, with a cache in the filesystem; the bundle runs and is the same`,
  through: 'option',
  bytes: 5_000_000,
  // realpath is node's own, and calls node's lstat.
  nodes: ['lstat'],
  prepare: (folder) => makeApplication(path.join(folder, 'app')),
  check(folder, result) {
    for (const [index, { errors, assets }] of result.entries()) {
      expect(errors).to.deep.equal([]);
      const out = path.join(folder, `out-${index + 1}`);
      const sizes = found(out, '-type', 'f', '-printf', '%f %s\\n');
      expect(sizes).to.include.members(assets);
      expect(tool(process.execPath, [path.join(out, 'main.js')])).to.equal(
        `hello, bundle ${expectedSum()} from json true a chunk of its own\n`,
      );
    }
    const made = sums(path.join(folder, 'out-1'));
    expect(sums(path.join(folder, 'out-2'))).to.deep.equal(made);
    return made;
  },
});
