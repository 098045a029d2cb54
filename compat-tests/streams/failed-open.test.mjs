// A stream that cannot be opened has asked the system once, as node's has: a second open may find what the first did
// not.
// Red when node is made to open the file again, so that its own text is printed above the error.
import { expect } from 'chai';
import { skip } from '../helpers/backend.mjs';
import { runChild } from '../helpers/child.mjs';
import { straceObstacle } from '../helpers/faults.mjs';
import { subjectSpecifier } from '../helpers/oracle.mjs';
import { temporaryDirectory, removeDirectory } from '../helpers/tempdir.mjs';

const MAKERS = ['createReadStream', 'createWriteStream'];
const SUBJECTS = {
  import: { module: subjectSpecifier, options: {} },
  'import, direct': { module: subjectSpecifier, options: { direct: 'try' } },
  register: { module: 'node:fs', options: {}, nodeArgs: ['--import', 'ioengine/register'] },
};

describe('streams: an open that fails', () => {
  let directory;
  before(function () {
    const obstacle = straceObstacle();
    if (obstacle) skip(this, obstacle);
    directory = temporaryDirectory();
  });
  after(() => directory && removeDirectory(directory));

  /** What the system said to each open of a file that is not there, and what the stream said. */
  async function opensOf(maker, { module, options, nodeArgs }) {
    const file = `${directory}/no/no`;
    const child = await runChild({
      args: [file],
      nodeArgs,
      code: `
        import fs from '${module}';
        const file = process.argv[1];
        await new Promise((resolve) => {
          fs.${maker}(file, ${JSON.stringify(options)}).on('error', ({ code, syscall }) => console.log(JSON.stringify([code, syscall]))).on('close', resolve);
        });`,
      strace: { trace: 'openat,openat2' },
    });
    const answers = child.trace.filter((line) => line.includes(file)).map((line) => / = -1 (\w+)/.exec(line)?.[1]);
    return { answers, said: child.json() };
  }

  for (const maker of MAKERS) {
    for (const [name, subject] of Object.entries(SUBJECTS)) {
      it(`${maker}: the system is asked once: ${name}`, async () => {
        const node = await opensOf(maker, { module: 'node:fs', options: {} });
        expect(node).to.deep.equal({ answers: ['ENOENT'], said: ['ENOENT', 'open'] });
        const ours = await opensOf(maker, subject);
        // With EAGAIN the kernel's memory of paths says that it does not know.
        const answers = ours.answers.filter((answer) => answer !== 'EAGAIN');
        expect({ ...ours, answers }).to.deep.equal(node);
      });
    }
  }
});
