// O_DIRECT with any offset, length and buffer, against a shadow buffer (in the manner of fsx), per filesystem.
//
//   IOENGINE_RUNS=500 npx mocha --timeout 3600000 compat-tests/differential/direct.test.mjs     a long run
import fs from 'node:fs';
import { expect } from 'chai';
import fc from 'fast-check';
import { descriptorState, skipBecause } from '../helpers/compare.mjs';
import { withFilesystem } from '../helpers/filesystems.mjs';
import { checkProperty } from '../helpers/model.mjs';
import { ours, oursP, subjectOverridden } from '../helpers/oracle.mjs';
import { patternBytes, removeDirectory, temporaryDirectory } from '../helpers/tempdir.mjs';
import { O_DIRECT, OPENERS, operation, runOnShadow } from './support/shadow-file.mjs';

const PLAN = {
  ext4: ['direct: true', 'O_DIRECT in the flags'],
  xfs: ['direct: true', "direct: 'try'"],
  tmpfs: ["direct: 'try'", 'buffered'],
  overlayfs: ['direct: true', "direct: 'try'"],
};

for (const [kind, openers] of Object.entries(PLAN)) {
  describe(`differential: O_DIRECT on ${kind}`, function () {
    this.timeout(600_000);
    let directory;
    before(async function () {
      const filesystem = await withFilesystem(kind);
      if (filesystem.skipped) return skipBecause(this, filesystem.skipped);
      directory = filesystem.dir;
    });
    after(() => directory && fs.rmSync(directory, { recursive: true, force: true }));

    for (const opener of openers) {
      it(`random operations against a shadow, ${opener}`, async function () {
        if (opener === 'O_DIRECT in the flags' && subjectOverridden) {
          return skipBecause(this, 'node:fs answers EINVAL to unaligned O_DIRECT: only ioengine has this');
        }
        const property = fc.asyncProperty(
          fc.array(operation, { minLength: 1, maxLength: 40, size: 'max' }),
          (operations) => runOnShadow(directory, OPENERS[opener], operations),
        );
        await checkProperty(property, { group: 'direct', file: 'direct.test.mjs', usualRuns: 20 });
      });
    }

    it('a direct handle really has O_DIRECT, and is exact at the ends of a 5,000-byte file', async function () {
      if (subjectOverridden) return skipBecause(this, 'only ioengine has the option');
      if (kind === 'tmpfs') return skipBecause(this, "tmpfs refuses or ignores O_DIRECT; 'try' is tested above");
      const file = `${directory}/five`;
      fs.writeFileSync(file, patternBytes(5000, 5));
      const handle = await oursP.open(file, { flags: 'r+', direct: true });
      try {
        expect(Number.parseInt(descriptorState(handle.fd).flags, 8) & O_DIRECT).to.equal(O_DIRECT);
        expect((await handle.read(Buffer.alloc(8192), 0, 8192, 0)).bytesRead).to.equal(5000);
        expect((await handle.read(Buffer.alloc(8192), 0, 8192, 4096)).bytesRead).to.equal(904);
        expect((await handle.read(Buffer.alloc(8192), 0, 8192, 5000)).bytesRead).to.equal(0);
        expect((await handle.read(Buffer.alloc(8192), 0, 8192, 1_000_000)).bytesRead).to.equal(0);
        await handle.write(Buffer.from('tail'), 0, 4, 4998);
        expect(fs.statSync(file).size).to.equal(5002);
      } finally {
        await handle.close();
      }
    });

    it('direct streams: appends, cut ends, copies', async () => {
      const file = `${directory}/stream`;
      for (const size of [0, 1, 4095, 4096, 5000, 1_000_003]) {
        const content = patternBytes(size, size + 1);
        fs.writeFileSync(file, '');
        await new Promise((resolve, reject) => {
          const out = ours.createWriteStream(file, { direct: 'try' }).on('error', reject).on('close', resolve);
          for (let at = 0; at < size; at += 7001) out.write(content.subarray(at, at + 7001));
          out.end();
        });
        expect(fs.readFileSync(file).equals(content), `written, ${size}`).to.equal(true);
        await new Promise((resolve, reject) =>
          ours
            .createWriteStream(file, { direct: 'try', flags: 'a' })
            .on('error', reject)
            .on('close', resolve)
            .end('appended'),
        );
        expect(fs.readFileSync(file, 'latin1').endsWith('appended'), `appended, ${size}`).to.equal(true);
        expect(fs.statSync(file).size).to.equal(size + 8);
        const parts = [];
        for await (const part of ours.createReadStream(file, {
          direct: 'try',
          start: Math.min(3, size),
          end: size + 2,
        }))
          parts.push(part);
        expect(
          Buffer.concat(parts).equals(fs.readFileSync(file).subarray(Math.min(3, size), size + 3)),
          `read, ${size}`,
        ).to.equal(true);
      }
    });
  });
}

describe('differential: O_DIRECT errors', () => {
  let directory;
  before(() => {
    directory = temporaryDirectory();
  });
  after(() => removeDirectory(directory));

  it('errors of open with direct are node’s', async () => {
    for (const [path, code] of [
      [`${directory}/absent`, 'ENOENT'],
      [`${directory}/absent/x`, 'ENOENT'],
    ]) {
      const error = await oursP.open(path, { flags: 'r', direct: true }).then(
        () => null,
        (reason) => reason,
      );
      expect(error?.code).to.equal(code);
      expect(error.message).to.equal(`ENOENT: no such file or directory, open '${path}'`);
      expect(error.path).to.equal(path);
    }
  });
});
