// Libraries that simulate files (mock-fs) replace functions of node's native half of fs. From then on only node knows
// what a path or a descriptor is; what the engine had begun before stays the engine's.
import { expect } from 'chai';
import { runChild } from '../helpers/child.mjs';

/** The path /simulated is package.json, for everybody who goes through node's binding. */
const simulate = `
  import nodeFs from 'node:fs';
  import fs from 'ioengine/fs';
  import { stats } from 'ioengine';
  const simulate = () => {
    const binding = process.binding('fs');
    for (const name of ['open', 'openFileHandle', 'stat']) {
      const original = binding[name];
      binding[name] = (path, ...rest) => original.call(binding, path === '/simulated' ? 'package.json' : path, ...rest);
    }
  };
  const wanted = nodeFs.readFileSync('package.json', 'utf8');
  const byCallback = (call, ...args) =>
    new Promise((resolve, reject) => call(...args, (error, value) => (error ? reject(error) : resolve(value))));
`;

const uses = {
  'promises.readFile': "fs.promises.readFile('/simulated', 'utf8')",
  readFile: "byCallback(fs.readFile, '/simulated', 'utf8')",
  'promises.open': `fs.promises.open('/simulated').then(async (handle) => {
    const text = await handle.readFile('utf8');
    await handle.close();
    return text;
  })`,
  stat: "byCallback(fs.stat, '/simulated').then(({ size }) => wanted.slice(0, size))",
  createReadStream: "fs.createReadStream('/simulated', 'utf8').toArray().then((chunks) => chunks.join(''))",
};

describe('parity: simulated files', () => {
  for (const [name, use] of Object.entries(uses)) {
    for (const warm of [false, true]) {
      it(`${name} finds them as node does${warm ? ', after the engine has been at work' : ''}`, async () => {
        const code = `${simulate}
          ${warm ? "await fs.promises.readFile('package.json'); await (await fs.promises.open('package.json')).close();" : ''}
          simulate();
          // Not everything of each Node goes through these functions: node's own answer counts.
          const answer = (fs) => ${use}.catch((error) => error.code);
          console.log(JSON.stringify((await answer(fs)) === (await answer(nodeFs))));
        `;
        const child = await runChild({ code });
        expect(child.json(), child.stderr).to.equal(true);
      });
    }
  }

  for (const [name, use] of Object.entries({
    'promises.readdir': "fs.promises.readdir('.', { withFileTypes: true })",
    readdir: "byCallback(fs.readdir, '.', { withFileTypes: true })",
  })) {
    it(`${name} calls a function that is put in the place of the one that lists a directory`, async () => {
      const child = await runChild({
        code: `${simulate}
          const binding = process.binding('fs');
          const { readdir } = binding;
          let calls = 0;
          binding.readdir = (...args) => {
            calls += 1;
            return readdir.apply(binding, args);
          };
          const names = (await ${use}).map(({ name }) => name).sort();
          const same = JSON.stringify(names) === JSON.stringify(nodeFs.readdirSync('.').sort());
          console.log(JSON.stringify({ same, calls: calls - 1 }));
        `,
      });
      expect(child.json(), child.stderr).to.deep.equal({ same: true, calls: 1 });
    });
  }

  it('handles and calls from before go on and are closed by the engine', async () => {
    const child = await runChild({
      code: `${simulate}
        const handle = await fs.promises.open('package.json');
        const { fd } = handle;
        const reading = fs.promises.readFile('package.json', { encoding: 'utf8', signal: new AbortController().signal });
        simulate();
        const texts = [await reading, await handle.readFile('utf8')];
        await handle.close();
        let closed = false;
        try { nodeFs.fstatSync(fd); } catch (error) { closed = error.code === 'EBADF'; }
        console.log(JSON.stringify([...texts.map((text) => text === wanted), closed]));
      `,
    });
    expect(child.json(), child.stderr).to.deep.equal([true, true, true]);
  });
});
