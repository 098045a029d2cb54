// Every command and snippet of README.md and docs/guides/ is run, in a project that has ioengine and an app.js. Red
// with a name that the package does not export, an option that a command does not have, and a block that nobody runs.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { inRoot, root } from '../../scripts/lib/paths.mjs';
import { runChild } from '../helpers/child.mjs';
import { patternBytes, removeDirectory, temporaryDirectory } from '../helpers/tempdir.mjs';
import { blocksOf, commandsOf, documents, reasonForBlock } from './support/blocks.mjs';

const APP = `import fs from 'node:fs';
const text = await fs.promises.readFile('package.json', 'utf8');
console.log(text.length);
`;

/**
 * A project as a reader has one. `npx` runs what is installed, as the real one does, without its start of a second;
 * `bench` runs one short round of each task.
 */
function makeProject() {
  const folder = temporaryDirectory();
  const write = (name, content, mode) => fs.writeFileSync(path.join(folder, name), content, { mode });
  fs.mkdirSync(path.join(folder, 'node_modules', '.bin'), { recursive: true });
  fs.symlinkSync(root, path.join(folder, 'node_modules', 'ioengine'));
  fs.mkdirSync(path.join(folder, 'bin'));
  fs.mkdirSync(path.join(folder, 'src'));
  write('package.json', '{ "private": true, "type": "module", "scripts": { "start": "node app.js" } }\n');
  write('app.js', APP);
  write('src/one.js', "import { readFile } from 'node:fs/promises';\nimport fs from 'fs';\n");
  write('data.bin', patternBytes(256 * 1024 + 77));
  const cli = `"${process.execPath}" "${inRoot('dist', 'cli.js')}"`;
  write('bin/npx', '#!/bin/sh\nexec "$@"\n', 0o755);
  write(
    'bin/ioengine',
    `#!/bin/sh
if [ "$1" = bench ]; then shift; set -- bench --rounds 1 --round-ms 5 "$@"; fi
exec ${cli} "$@"
`,
    0o755,
  );
  fs.symlinkSync(process.execPath, path.join(folder, 'bin', 'node'));
  return folder;
}

const titleOf = ({ document, line, language }) => `${document}:${line} (${language})`;

describe('docs: snippets', () => {
  let folder;
  before(() => {
    folder = makeProject();
  });
  after(() => removeDirectory(folder));

  const env = () => ({ IOENGINE_BACKEND: undefined, PATH: `${path.join(folder, 'bin')}:${process.env.PATH}` });

  const run = {
    async js({ text }, ending = 'mjs') {
      const file = path.join(folder, `snippet.${ending}`);
      fs.writeFileSync(file, text);
      const child = await runChild({ file, cwd: folder, env: env() });
      expect([child.status, child.stderr], child.describe()).to.deep.equal([0, '']);
    },
    cjs: (block) => run.js(block, 'cjs'),
    sh(block) {
      const { commands } = commandsOf(block);
      const options = { cwd: folder, encoding: 'utf8', env: { ...process.env, ...env() } };
      delete options.env.IOENGINE_BACKEND;
      const { status, stdout, stderr } = spawnSync('sh', ['-e', '-c', commands], options);
      // doctor: the engine runs on its threads alone where nothing else is allowed.
      const isDone = status === 0 || (status === 3 && /ioengine doctor/.test(commands));
      expect(isDone, `${status}\n${stdout}${stderr}`).to.equal(true);
    },
    json({ text }) {
      expect(() => JSON.parse(text)).to.not.throw();
    },
  };

  for (const document of documents) {
    for (const block of blocksOf(document)) {
      const because = reasonForBlock(block);
      if (because !== undefined) {
        it(`${titleOf(block)} is left out: ${because}`, () => {
          expect(block.text.trim()).to.not.equal('');
        });
        continue;
      }
      it(`${titleOf(block)} runs`, () => run[block.language](block));
    }
  }

  it('the swap of a whole project changes the imports, and nothing else', () => {
    const [{ text }] = blocksOf('docs/guides/swap.md').filter(({ text: one }) => one.includes('sed -i'));
    const place = path.join(folder, 'swap');
    fs.mkdirSync(path.join(place, 'src'), { recursive: true });
    const before =
      "import a from 'fs';\nimport { b } from 'node:fs/promises';\nimport c from 'node:fs';\nimport d from 'fs-extra';\n";
    fs.writeFileSync(path.join(place, 'src', 'file.js'), before);
    expect(spawnSync('sh', ['-e', '-c', text], { cwd: place }).status).to.equal(0);
    expect(fs.readFileSync(path.join(place, 'src', 'file.js'), 'utf8')).to.equal(
      "import a from 'ioengine/fs';\nimport { b } from 'ioengine/fs/promises';\nimport c from 'ioengine/fs';\nimport d from 'fs-extra';\n",
    );
  });

  it('the lines for a seccomp profile allow what a ring needs', () => {
    const [entry] = blocksOf('docs/guides/containers.md').filter(({ language }) => language === 'json');
    expect(JSON.parse(entry.text)).to.deep.equal({
      names: ['io_uring_setup', 'io_uring_enter', 'io_uring_register'],
      action: 'SCMP_ACT_ALLOW',
    });
  });

  it('tuning.md names every variable that the package reads', () => {
    const sources = fs.readdirSync(inRoot('src'), { recursive: true }).filter((name) => name.endsWith('.ts'));
    const code = sources.map((name) => fs.readFileSync(inRoot('src', name), 'utf8')).join('\n');
    const read = new Set([...code.matchAll(/(?:process\.env\.|[{,] )(IOENGINE_(?!TOP_)\w+)/g)].map(([, name]) => name));
    expect([...read]).to.include.members(['IOENGINE_BACKEND', 'IOENGINE_DISABLE', 'IOENGINE_DIRECT', 'IOENGINE_ADDON']);
    const guide = fs.readFileSync(inRoot('docs', 'guides', 'tuning.md'), 'utf8');
    for (const name of read) expect(guide).to.include(`\n| \`${name}\` |`);
  });

  it('links between documents lead somewhere, headings included', () => {
    const anchor = (heading) =>
      heading
        .toLowerCase()
        .replace(/[^\w\- ]/g, '')
        .replaceAll(' ', '-');
    const dead = documents.flatMap((document) => {
      const links = [
        ...fs.readFileSync(inRoot(document), 'utf8').matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/g),
      ];
      return links.flatMap(([link, target, heading]) => {
        const file = path.join(path.dirname(inRoot(document)), target === '' ? path.basename(document) : target);
        if (!fs.existsSync(file)) return [`${document}: ${link}`];
        if (heading === undefined) return [];
        const anchors = [...fs.readFileSync(file, 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, text]) => anchor(text));
        return anchors.includes(heading) ? [] : [`${document}: ${link}`];
      });
    });
    expect(dead).to.deep.equal([]);
  });
});

describe('docs: the rules turn red', () => {
  const block = (language, text) => blocksOf('a.md', `# A\n\n\`\`\`${language}\n${text}\n\`\`\`\n`)[0];

  it('for a block in a language that nobody runs, or without an end', () => {
    expect(() => reasonForBlock(block('python', 'x'))).to.throw("a.md:3: nobody runs blocks of 'python'");
    expect(() => reasonForBlock(block('', 'x'))).to.throw('nobody runs');
    expect(() => blocksOf('a.md', '```js\n')).to.throw('without an end');
  });

  it('and leaves out only what the table has', () => {
    const { commands, leftOut } = commandsOf(block('sh', 'npm install ioengine\nnpm install other\nnode app.js'));
    expect(commands.trim().split('\n')).to.deep.equal(['npm install other', 'node app.js']);
    expect(leftOut.map(({ line }) => line)).to.deep.equal(['npm install ioengine']);
  });
});
