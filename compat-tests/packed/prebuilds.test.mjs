// The binaries of npm run prebuild, where they are: what they ask of a system. That they run is for the long
// npm run prebuild:check. And what npm pack refuses, on files that are wrong in one way each.
import { copyFileSync, cpSync, mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { copyLocalBuild, localTarget } from '../../scripts/lib/local-prebuild.mjs';
import { problemsOfBinary, problemsOfPackage } from '../../scripts/lib/package-check.mjs';
import { addonFile, inRoot } from '../../scripts/lib/paths.mjs';
import { prebuildFile, prebuildsAreCurrent } from '../../scripts/lib/prebuilds.mjs';
import { findProgram } from '../../scripts/lib/run.mjs';
import { targets } from '../../scripts/lib/targets.mjs';
import { skip } from '../helpers/backend.mjs';
import { removeDirectory, temporaryDirectory } from '../helpers/tempdir.mjs';

const here = targets.find(({ name }) => name === localTarget());
const there = targets.find(({ arch }) => arch !== process.arch);

describe('packed: prebuilt binaries', () => {
  for (const target of targets) {
    it(`${target.name}: floor of the C library, libraries, symbols, stripped`, function () {
      if (!prebuildsAreCurrent()) skip(this, 'because npm run prebuild has not been run for these sources');
      expect(problemsOfBinary(target, prebuildFile(target))).to.deep.equal([]);
    });
  }
});

describe('packed: what npm pack refuses', () => {
  let folder;
  beforeEach(() => {
    folder = temporaryDirectory();
  });
  afterEach(() => removeDirectory(folder));

  const problemsOf = (make, target = here) => {
    const file = path.join(folder, 'ioengine.node');
    make(file);
    return problemsOfBinary(target, file);
  };
  const copied = (file) => copyFileSync(copyLocalBuild(folder), file);

  it('a binary that is missing', () => {
    expect(problemsOf(() => {})).to.deep.equal(['does not exist']);
  });

  it('an empty one', () => {
    expect(problemsOf((file) => writeFileSync(file, ''))).to.deep.equal(['is empty']);
  });

  it('one that is cut short, or something else', () => {
    const make = (file) => {
      copied(file);
      truncateSync(file, 5000);
    };
    expect(problemsOf(make).join()).to.include('is no sound ELF file');
    expect(problemsOf((file) => writeFileSync(file, 'text')).join()).to.include('is no sound ELF file');
  });

  it('one that is not stripped', () => {
    expect(problemsOf((file) => copyFileSync(addonFile, file))).to.include('is not stripped');
    expect(problemsOf(copied)).to.not.include('is not stripped');
  });

  it('one for another architecture, or for another C library', function () {
    expect(problemsOf(copied, there)).to.include(`is for ${process.arch}`);
    const other = targets.find(({ arch, libc }) => arch === process.arch && libc !== here.libc);
    if (here.libc !== 'glibc') skip(this, 'because this machine has musl');
    expect(problemsOf(copied, other).join()).to.include('needs libc.so.6');
  });

  it('one that needs a newer C library than the package promises, or other libraries', function () {
    // A small program that has a library of its own.
    expect(problemsOf((file) => copyFileSync(findProgram('strip'), file)).join()).to.match(/needs libbfd\S*\.so/);
    if (here.libc !== 'glibc') skip(this, 'because this machine has musl');
    // No system that compiles this today has a C library as old as the floor.
    expect(problemsOf(copied).join()).to.match(/needs glibc 2\.\d+, and 2\.28 is the promise/);
  });

  it('a package without dist, documents or binaries: each is named', () => {
    for (const name of ['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md'])
      cpSync(inRoot(name), path.join(folder, name));
    cpSync(inRoot('dist'), path.join(folder, 'dist'), { recursive: true });
    rmSync(path.join(folder, 'dist', 'fs.mjs'));
    writeFileSync(path.join(folder, 'README.md'), '');
    mkdirSync(path.join(folder, 'prebuilds'));
    expect(problemsOfPackage(folder)).to.deep.equal([
      'dist/fs.mjs is missing or empty',
      'README.md is missing or empty',
      'prebuilds/LICENSE.liburing is missing or empty',
      ...targets.map(({ name }) => `prebuilds/${name}/ioengine.node does not exist`),
    ]);
  });
});
