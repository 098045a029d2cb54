// `ioengine bench`: which sides run, that they do the same, that nothing is written unless told, and that the verdict
// follows the figures. Red with an engine on plain node's side, contents that are not compared, a round that one side
// has more than the other, and a slower engine that is called faster.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { startChild } from '../helpers/child.mjs';
import { patternBytes, removeDirectory, temporaryDirectory } from '../helpers/tempdir.mjs';
import { cli, jsonOf, program, treeOf } from './support/cli.mjs';

const env = { IOENGINE_BACKEND: 'auto' };
const lanesThatServe = ['inline', 'uring', 'aio', 'threads'];

describe('cli: bench', () => {
  let folder;
  let tree;
  beforeEach(() => {
    folder = temporaryDirectory();
    tree = path.join(folder, 'tree');
    fs.mkdirSync(path.join(tree, 'inner'), { recursive: true });
    for (let index = 0; index < 12; index++) {
      fs.writeFileSync(
        path.join(tree, index % 2 ? 'inner' : '.', `file-${index}`),
        patternBytes(3000 + index, index + 1),
      );
    }
    fs.writeFileSync(path.join(tree, 'large'), patternBytes(1024 * 1024 + 1));
    fs.symlinkSync('large', path.join(tree, 'link'));
  });
  afterEach(() => removeDirectory(folder));

  it('measures a folder, the same work on both sides, and changes nothing in it', async () => {
    const before = treeOf(folder, { times: true });
    const child = await cli(['bench', '--rounds', '2', '--round-ms', '20', '--json', tree], { env });
    const { results, rounds, machine } = jsonOf(child);
    expect([child.status, rounds], child.describe()).to.deep.equal([0, 2]);
    expect(machine).to.include(process.version);
    expect(results.map(({ task }) => task)).to.deep.equal([
      'stat, 64 at a time',
      'readFile, 1 at a time',
      'readFile, 64 at a time',
      'read 4 KiB at random, 1 at a time',
      'read 4 KiB at random, 32 at a time',
      'createReadStream',
    ]);
    for (const { task, node, engine, ratio, cpuRatio, lanes } of results) {
      for (const spread of [node, engine, ratio, cpuRatio]) {
        expect(spread.least, task).to.be.above(0).and.at.most(spread.median);
        expect(spread.most, task).to.be.at.least(spread.median);
      }
      // Two rounds: a median is the mean of both.
      expect(ratio.least, task).to.be.at.most(engine.most / node.least);
      expect(ratio.most, task).to.be.at.least(engine.least / node.most);
      expect(lanes.delegated, task).to.equal(0);
      expect(
        lanesThatServe.reduce((sum, lane) => sum + lanes[lane], 0),
        task,
      ).to.be.above(0);
    }
    expect(treeOf(folder, { times: true })).to.deep.equal(before);
  });

  it('prints a table, a chart, and where the engine is no faster', async () => {
    const { stdout, status } = await cli(['bench', '--rounds', '1', '--round-ms', '20', '--files', '3', tree], { env });
    expect(status).to.equal(0);
    expect(stdout).to.match(/^ {2}task +node +engine +ratio +of the rounds +CPU +engine is +lanes of the engine$/m);
    expect(stdout).to.match(/^ {2}stat, 64 at a time +[\d,.]+ files\/s +[\d,.]+ files\/s +[\d.]+x/m);
    expect(stdout)
      .to.match(/^ {4}node +[█▏▎▍▌▋▊▉]+ [\d,.]+$/m)
      .and.match(/^ {4}engine +[█▏▎▍▌▋▊▉]+ [\d,.]+$/m);
    expect(stdout).to.match(/^The engine is faster in \d of \d\./m);
    const verdicts = [...stdout.matchAll(/ (faster|slower|no difference) {2}/g)].map(([, verdict]) => verdict);
    const [, counted] = /faster in (\d) of/.exec(stdout);
    expect(verdicts.filter((verdict) => verdict === 'faster').length).to.equal(Number(counted));
  });

  it('writes only into a folder of its own, where it is told to, and removes it', async () => {
    const place = path.join(folder, 'place');
    fs.mkdirSync(place);
    const file = path.join(tree, 'file-0');
    const child = await cli(['bench', '--rounds', '1', '--round-ms', '20', '--json', '--write', place, file], { env });
    const tasks = jsonOf(child).results.map(({ task }) => task);
    expect(tasks).to.include.members(['writeFile 4 KiB, 64 at a time', 'createWriteStream', 'createReadStream']);
    expect(fs.readdirSync(place)).to.deep.equal([]);
  });

  it('has an engine on one side and none on the other', async () => {
    const maps = async (name) => {
      const code = `
        const { fork } = await import('node:child_process');
        const side = fork(${JSON.stringify(program)}, ['bench-side', ${JSON.stringify(name)}], { execArgv: [] });
        const task = { kind: 'readFile', paths: [${JSON.stringify(path.join(tree, 'large'))}], atOnce: 1, size: 0 };
        side.once('message', async (answer) => {
          const { readFileSync } = await import('node:fs');
          const text = readFileSync('/proc/' + side.pid + '/maps', 'latin1');
          console.log(JSON.stringify({ digest: answer.digest, addon: /ioengine[^/]*\\.node/.test(text) }));
          side.disconnect();
        });
        side.send({ id: 1, task, verify: true, passes: 1, seed: 1 });`;
      const child = startChild({ code, env });
      return (await child.ended()).json();
    };
    const [node, engine] = [await maps('node'), await maps('engine')];
    expect([node.addon, engine.addon]).to.deep.equal([false, true]);
    expect(node.digest)
      .to.equal(engine.digest)
      .and.match(/^[0-9a-f]{64}$/);
  });

  it('ends with 1 where the sides do not come to the same content', async () => {
    const code = `
      const { openSync, writeSync } = await import('node:fs');
      const fd = openSync(process.argv[1], 'r+');
      for (let count = 0; ; count++) writeSync(fd, String(count).padStart(4000, '.'), 0);`;
    const file = path.join(tree, 'file-1');
    // As long as what is written: only the content tells.
    fs.writeFileSync(file, '.'.repeat(4000));
    const writer = startChild({ code, args: [file] });
    try {
      const { status, stderr } = await cli(['bench', '--rounds', '1', tree], { env });
      expect(status).to.equal(1);
      expect(stderr).to.match(/Were files changed meanwhile\?/);
    } finally {
      writer.kill('SIGKILL');
      await writer.ended();
    }
  });

  it('says so where no engine runs, and where there is nothing to read', async () => {
    const none = await cli(['bench', tree], { env: { IOENGINE_BACKEND: 'node' } });
    expect([none.status, none.stdout]).to.deep.equal([1, '']);
    expect(none.stderr).to.include('no engine here to compare with').and.include('ioengine doctor');
    const empty = path.join(folder, 'empty');
    fs.mkdirSync(empty);
    expect((await cli(['bench', empty], { env })).stderr).to.include('has no regular file');
    expect((await cli(['bench', '/no/such/file'], { env })).stderr).to.include('ENOENT');
    expect((await cli(['bench', '/dev/null'], { env })).stderr).to.include('neither a file nor a folder');
  });

  describe('-- COMMAND', () => {
    /** A program that logs how it was started, and takes its time on one side. */
    function programThat({ waitsOn, prints = '"text"', ends = 0 }) {
      const file = path.join(folder, 'program.mjs');
      fs.writeFileSync(
        file,
        `import fs from 'node:fs';
        const side = process.env.IOENGINE_DISABLE === '1' ? 'node' : 'engine';
        const { stats } = await import(${JSON.stringify(path.join(path.dirname(program), 'index.mjs'))});
        await fs.promises.readFile(${JSON.stringify(file)});
        const { inline, threads } = stats().lanes;
        fs.appendFileSync(${JSON.stringify(path.join(folder, 'log'))}, side + ' ' + (inline.operations + threads.operations > 0) + '\\n');
        if (side === ${JSON.stringify(waitsOn)}) await new Promise((resolve) => setTimeout(resolve, 1500));
        console.log(${prints});
        process.exitCode = ${ends};`,
      );
      return ['--', process.execPath, file];
    }
    const log = () => fs.readFileSync(path.join(folder, 'log'), 'utf8').trim().split('\n');

    it('runs it as it is and on the engine, in turn, as often as it says', async () => {
      const child = await cli(['bench', '--rounds', '2', '--json', ...programThat({})], { env });
      const { plain, engine, ratio, outputsAreEqual } = jsonOf(child);
      expect([child.status, outputsAreEqual]).to.deep.equal([0, true]);
      const [one, other] = ['node false', 'engine true'];
      expect(log()).to.deep.equal([one, other, one, other, other, one]);
      for (const spread of [plain, engine, ratio]) expect(spread.least).to.be.above(0).and.at.most(spread.most);
    });

    it('calls it faster or slower as the figures are', async () => {
      const slower = await cli(['bench', '--rounds', '1', ...programThat({ waitsOn: 'engine' })], { env });
      expect(slower.stdout).to.match(/^On the engine it is slower: 0\.\d+x as fast/m);
      const faster = await cli(['bench', '--rounds', '1', ...programThat({ waitsOn: 'node' })], { env });
      expect(faster.stdout).to.match(/^On the engine it is faster: \d+\.\d+x as fast/m);
    });

    it('says that outputs differ, and that a run has failed', async () => {
      const differing = await cli(['bench', '--rounds', '1', ...programThat({ prints: 'process.pid' })], { env });
      expect(differing.stdout).to.include('differs from run to run');
      const failing = await cli(['bench', ...programThat({ ends: 3 })], { env });
      expect([failing.status, failing.stderr.includes('ended with 3')]).to.deep.equal([1, true]);
      const none = await cli(['bench', '--', '/no/such/program'], { env });
      expect([none.status, none.stderr.includes('cannot be started')]).to.deep.equal([1, true]);
    });
  });

  it('bench-side alone says who starts it', () => {
    const { status, stderr } = spawnSync(process.execPath, [program, 'bench-side', 'node'], { encoding: 'utf8' });
    expect([status, stderr]).to.deep.equal([2, 'ioengine bench-side is started by ioengine bench\n']);
  });
});
