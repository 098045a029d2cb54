// Whatever way a program is started and whatever way it asks for node:fs, `ioengine/register` has the engine in it.
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { repositoryRoot, runChild } from '../helpers/child.mjs';
import { removeDirectory, temporaryDirectory } from '../helpers/tempdir.mjs';
import { expectSame, expectServed, IMPORT, runReporting } from './support/programs.mjs';

const REQUIRE = ['--require', 'ioengine/register'];
const BYTES = 5000;
const FOLDER = '@folder';

describe('register: ways in', function () {
  this.timeout(60_000);
  let folder;
  let data;

  before(() => {
    folder = temporaryDirectory();
    data = path.join(folder, 'data');
    fs.writeFileSync(data, 'x'.repeat(BYTES));
  });
  after(() => removeDirectory(folder));

  const write = (name, text) => {
    const file = path.join(folder, name);
    fs.writeFileSync(file, text);
    return file;
  };

  /** Programs that read `data` through one way of asking for the module, and print the number of bytes. */
  const asking = {
    "require('fs')": ['cjs', "require('fs').readFile(FILE, (error, data) => console.log(data.length));"],
    "require('node:fs').promises": [
      'cjs',
      "require('node:fs').promises.readFile(FILE).then((d) => console.log(d.length));",
    ],
    "require('fs/promises')": [
      'cjs',
      "require('fs/promises').readFile(FILE).then((data) => console.log(data.length));",
    ],
    "import fs from 'fs'": ['mjs', "import fs from 'fs'; console.log((await fs.promises.readFile(FILE)).length);"],
    "import { readFile } from 'node:fs'": [
      'mjs',
      "import { readFile } from 'node:fs'; readFile(FILE, (error, data) => console.log(data.length));",
    ],
    "import * as fs from 'node:fs/promises'": [
      'mjs',
      "import * as fs from 'node:fs/promises'; console.log((await fs.readFile(FILE)).length);",
    ],
    "import { open } from 'fs/promises'": [
      'mjs',
      "import { open } from 'fs/promises'; console.log((await (await open(FILE)).readFile()).length);",
    ],
    "import { createReadStream } from 'fs'": [
      'mjs',
      `import { createReadStream } from 'fs';
       let bytes = 0; for await (const chunk of createReadStream(FILE)) bytes += chunk.length; console.log(bytes);`,
    ],
    "await import('fs')": [
      'cjs',
      "import('fs').then((fs) => fs.readFile(FILE, (e, data) => console.log(data.length)));",
    ],
  };
  if (process.getBuiltinModule !== undefined) {
    asking['process.getBuiltinModule'] = [
      'cjs',
      "process.getBuiltinModule('fs').readFile(FILE, (error, data) => console.log(data.length));",
    ];
  }

  for (const [way, [type, text]] of Object.entries(asking)) {
    it(`${way}, with --import and with --require`, async () => {
      const name = `program-${Object.keys(asking).indexOf(way)}.${type}`;
      const file = write(name, text.replaceAll('FILE', JSON.stringify(data)));
      const ways = [IMPORT, REQUIRE];
      const results = await Promise.all(ways.map((nodeArgs) => runReporting({ file, nodeArgs })));
      for (const [index, { child, engine }] of results.entries()) {
        expect(child.stdout.trim(), child.describe()).to.equal(String(BYTES));
        expectServed(engine, ways[index].join(' '));
      }
    });
  }

  it('NODE_OPTIONS reaches a process, its children and theirs', async () => {
    const program = write(
      'nested.mjs',
      `import { execFileSync } from 'node:child_process';
       import { readFile } from 'node:fs/promises';
       const [, self, depth] = process.argv;
       await readFile(${JSON.stringify(data)});
       const { operations } = Object.values((await import(${JSON.stringify(import.meta.resolve('ioengine'))})).stats().lanes)
         .reduce((sum, lane, index) => ({ operations: sum.operations + (index < 4 ? lane.operations : 0) }));
       console.log(depth, operations > 0);
       if (depth > 0) process.stdout.write(execFileSync(process.execPath, [self, depth - 1], { encoding: 'utf8' }));`,
    );
    for (const NODE_OPTIONS of [IMPORT.join('='), REQUIRE.join('=')]) {
      const child = await runChild({ file: program, args: ['2'], env: { NODE_OPTIONS } });
      expect(child.stdout, child.describe()).to.equal('2 true\n1 true\n0 true\n');
    }
  });

  /** What a thread or process says about itself: the bytes it read, and whether its fs is the engine's. */
  const describing = (file) => `
    const fs = require('node:fs');
    const registered = process[Symbol.for('ioengine.originals')] !== undefined;
    fs.readFile(${JSON.stringify(file)}, (error, data) => say([data.length, registered]));`;

  it('a Worker inherits it, and one with other execArgv does not', async () => {
    const worker = write(
      'worker.cjs',
      `const say = (what) => require('node:worker_threads').parentPort.postMessage(what);${describing(data)}`,
    );
    const code = `
      import { once } from 'node:events';
      import { Worker } from 'node:worker_threads';
      const results = [];
      for (const options of [{}, { execArgv: [] }]) {
        results.push((await once(new Worker(${JSON.stringify(worker)}, options), 'message'))[0]);
      }
      console.log(JSON.stringify(results));`;
    const child = await runChild({
      file: write('starter.mjs', code),
      nodeArgs: IMPORT,
      env: { NODE_OPTIONS: undefined },
    });
    expect(child.json(), child.describe()).to.deep.equal([
      [BYTES, true],
      [BYTES, false],
    ]);
  });

  it('fork hands it on', async () => {
    const forked = write('forked.cjs', `const say = (what) => process.send(what);${describing(data)}`);
    const code = `
      import { fork } from 'node:child_process';
      fork(${JSON.stringify(forked)}).on('message', (what) => console.log(JSON.stringify(what)));`;
    const child = await runChild({ file: write('forking.mjs', code), nodeArgs: IMPORT });
    expect(child.json(), child.describe()).to.deep.equal([BYTES, true]);
  });

  it('an import in the program itself works for what is imported beside it', async () => {
    const file = write(
      'itself.mjs',
      `import { readFile } from 'node:fs';
       import ${JSON.stringify(import.meta.resolve('ioengine/register'))};
       readFile(${JSON.stringify(data)}, (error, data) => console.log(data.length));`,
    );
    const { child, engine } = await runReporting({ file });
    expect(child.stdout.trim(), child.describe()).to.equal(String(BYTES));
    expectServed(engine);
  });

  it('asked for twice, and by two ways, it happens once', async () => {
    const code = "import fs from 'node:fs'; fs.open = () => {}; console.log(process.execArgv.length);";
    const twice = await runChild({ code, nodeArgs: [...IMPORT, ...REQUIRE, ...IMPORT] });
    expect(twice.status, twice.describe()).to.equal(0);
    const { child, engine } = await runReporting({
      code: `import fs from 'node:fs';
             const first = fs.read;
             await import(${JSON.stringify(`${import.meta.resolve('ioengine/register')}?again`)});
             console.log(fs.read === first, (await fs.promises.readFile(${JSON.stringify(data)})).length);`,
      nodeArgs: [...REQUIRE, ...IMPORT],
    });
    expect(child.stdout.trim(), child.describe()).to.equal(`true ${BYTES}`);
    expectServed(engine);
  });

  it('IOENGINE_DISABLE=1 leaves node:fs alone, whatever the backend', async () => {
    const code = `
      import fs from 'node:fs';
      await fs.promises.readFile(${JSON.stringify(data)});
      console.log(JSON.stringify(Object.getOwnPropertySymbols(process).filter((s) => /ioengine/.test(s.description)).length));`;
    for (const env of [{ IOENGINE_DISABLE: '1' }, { IOENGINE_DISABLE: '1', IOENGINE_BACKEND: 'none' }]) {
      const { child, engine } = await runReporting({ code, nodeArgs: IMPORT, env });
      expect(child.json(), child.describe()).to.equal(0);
      expect(engine).to.equal(undefined);
    }
    const { engine } = await runReporting({ code, nodeArgs: IMPORT, env: { IOENGINE_DISABLE: '0' } });
    expectServed(engine);
  });

  it('a backend that is not there ends the program at its start, with cause and fix', async () => {
    const child = await runChild({ code: 'console.log(1)', nodeArgs: IMPORT, env: { IOENGINE_BACKEND: 'none' } });
    expect(child.status).to.equal(1);
    expect(child.stdout).to.equal('');
    expect(child.stderr).to.include('ERR_IOENGINE_BACKEND_UNKNOWN').and.to.include('Fix: ');
  });

  it('every name looks as it does in node', async () => {
    const code = `
      import fs, * as names from 'node:fs';
      import promises, * as promised from 'node:fs/promises';
      const shape = (object, key) => {
        const descriptor = Object.getOwnPropertyDescriptor(object, key);
        const looks = (value) => typeof value !== 'function' ? typeof value : Reflect.ownKeys(value).map((name) => [
          String(name), JSON.stringify({ ...Object.getOwnPropertyDescriptor(value, name), value: String(name) === 'prototype' ? 0 : value[name] }),
        ]).concat(Object.getPrototypeOf(value).constructor.name);
        const { value, get, set, ...flags } = descriptor;
        return [String(key), flags, looks(value), looks(get), looks(set), looks(object[key])];
      };
      const classes = [fs.ReadStream, fs.WriteStream].flatMap(({ prototype }) => Reflect.ownKeys(prototype).map((key) => {
        const { value, ...flags } = Object.getOwnPropertyDescriptor(prototype, key);
        return [String(key), value?.name, value?.length, Object.keys(flags)];
      }));
      const handle = await promises.open(${JSON.stringify(data)});
      await handle.close();
      console.log(JSON.stringify([
        Reflect.ownKeys(fs).map((key) => shape(fs, key)), Reflect.ownKeys(promises).map((key) => shape(promises, key)),
        Object.keys(names), Object.keys(promised), classes,
        fs.promises === promises, handle.constructor.name, fs.ReadStream === names.ReadStream,
        Object.keys(names).filter((name) => name !== 'default' && names[name] !== fs[name]),
        Object.getPrototypeOf(fs.ReadStream.prototype).constructor.name,
      ]));`;
    const plain = await expectSame({ code });
    expect(plain.json()[0].length).to.be.greaterThan(100);
  });

  it('open refuses what node refuses', async () => {
    const code = `
      import fs from 'node:fs';
      const file = ${JSON.stringify(data)};
      const seen = [];
      for (const args of [[file], [file, 'r'], [file, 'r', 0o600], [file, { flags: 'r', direct: true }], []]) {
        try { seen.push(typeof fs.open(...args)); } catch (error) { seen.push([error.name, error.code, error.message]); }
        seen.push(await fs.promises.open(...args).then((handle) => handle.close(), (error) => [error.name, error.code, error.message]));
      }
      fs.open(file, (error, fd) => fs.close(fd, () => console.log(JSON.stringify(seen))));`;
    const plain = await expectSame({ code });
    expect(plain.json()[0][1]).to.equal('ERR_INVALID_ARG_TYPE');
  });

  it('importing modules and synchronous calls start no engine and touch no addon', async () => {
    write('one.mjs', 'export default 1;');
    write('two.cjs', 'module.exports = 2;');
    write('three.json', '3');
    const file = write(
      'modules.mjs',
      `import one from './one.mjs';
       import two from './two.cjs';
       import { createRequire } from 'node:module';
       import fs from 'node:fs';
       const three = createRequire(import.meta.url)('./three.json');
       const { default: four } = await import('./one.mjs?again');
       fs.closeSync(fs.openSync(import.meta.url.slice(7)));
       fs.readFileSync(new URL('one.mjs', import.meta.url)); // closes through fs.closeSync
       const loaded = () => fs.readFileSync('/proc/self/maps', 'utf8').includes('ioengine.node');
       const before = loaded();
       await fs.promises.readFile(new URL('three.json', import.meta.url));
       console.log(JSON.stringify([one, two, three, four, before, loaded()]));`,
    );
    for (const nodeArgs of [IMPORT, REQUIRE]) {
      const child = await runChild({ file, nodeArgs, env: { IOENGINE_BACKEND: 'auto' } });
      expect(child.json(), child.describe()).to.deep.equal([1, 2, 3, 1, false, true]);
    }
  });

  describe('beside ioengine/fs', () => {
    const beside = (specifier) => `
      import fs from 'node:fs';
      import path from 'node:path';
      const ours = (await import(${JSON.stringify(specifier)})).default;
      const file = ${JSON.stringify(data)};
      const copy = path.join(${JSON.stringify(FOLDER)}, 'copy');
      const handle = await ours.open(file);
      const seen = [ours !== fs, ours.promises !== fs.promises, ours.read !== fs.read, (await handle.read()).bytesRead];
      await handle.close();
      // A call that ours hands to its host: it must not come back through node:fs as the engine has changed it.
      const calls = [];
      for (const name of ['read', 'readFile', 'open', 'writeFile']) {
        const changed = fs[name];
        fs[name] = (...args) => { calls.push(name); return changed(...args); };
      }
      const pipe = fs.openSync('/proc/self/stat');
      seen.push(await new Promise((resolve) => ours.read(pipe, Buffer.alloc(4), 0, 4, 0, (error, count) => resolve(count))));
      fs.closeSync(pipe);
      seen.push((await new Promise((resolve) => ours.readFile('/proc/version', (error, data) => resolve(data)))).length > 0);
      seen.push([...calls]);
      await new Promise((resolve) => ours.createReadStream(file).pipe(ours.createWriteStream(copy)).on('close', resolve));
      seen.push(fs.statSync(copy).size);
      await new Promise((resolve) => fs.createReadStream(file).pipe(fs.createWriteStream(copy)).on('close', resolve));
      seen.push(fs.statSync(copy).size);
      console.log(JSON.stringify(seen));`;
    const expected = [true, true, true, BYTES, 4, true, [], BYTES, BYTES];

    const programFor = (specifier) => beside(specifier).replace(FOLDER, folder);

    it('its host is node:fs as it was', async () => {
      const { child, engine } = await runReporting({ code: programFor('ioengine/fs'), nodeArgs: IMPORT });
      expect(child.json(), child.describe()).to.deep.equal(expected);
      expectServed(engine);
    });

    it('loaded before register, too', async () => {
      const nodeArgs = ['--require', 'ioengine/fs', '--require', 'ioengine/fs/promises', ...IMPORT];
      const { child, engine } = await runReporting({ code: programFor('ioengine/fs'), nodeArgs });
      expect(child.json(), child.describe()).to.deep.equal(expected);
      expectServed(engine);
    });

    it('as another copy of the package, too', async () => {
      const copy = path.join(folder, 'another', 'node_modules', 'ioengine');
      fs.cpSync(path.join(repositoryRoot, 'dist'), path.join(copy, 'dist'), { recursive: true });
      fs.copyFileSync(path.join(repositoryRoot, 'package.json'), path.join(copy, 'package.json'));
      const addon = process.env.IOENGINE_ADDON ?? path.join(repositoryRoot, 'build', 'Release', 'ioengine.node');
      fs.mkdirSync(path.join(copy, 'build', 'Release'), { recursive: true });
      fs.copyFileSync(addon, path.join(copy, 'build', 'Release', 'ioengine.node'));
      const specifier = pathToFileURL(path.join(copy, 'dist', 'fs.mjs')).href;
      const env = { IOENGINE_ADDON: undefined };
      const { child, engine } = await runReporting({ code: programFor(specifier), nodeArgs: IMPORT, env });
      expect(child.json(), child.describe()).to.deep.equal(expected);
      expectServed(engine);
      // What the copy hands to its host does not come by the engine that is in node:fs.
      const passing = await runReporting({
        code: `
          import fs from 'node:fs';
          import { stats } from 'ioengine';
          import ours from ${JSON.stringify(specifier)};
          const fd = fs.openSync('/proc/self/stat');
          await new Promise((resolve) => ours.read(fd, Buffer.alloc(4), 0, 4, 0, resolve));
          await ours.promises.readFile('/proc/version');
          console.log(Object.values(stats().lanes).reduce((sum, { operations }) => sum + operations, 0));`,
        nodeArgs: IMPORT,
        env,
      });
      expect(passing.child.json(), passing.child.describe()).to.equal(0);
    });
  });
});
