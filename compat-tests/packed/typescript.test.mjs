// A TypeScript project that uses the installed package, in every resolution mode that finds it.
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { expect } from 'chai';
import { inRoot } from '../../scripts/lib/paths.mjs';
import { packAndInstall, run } from './support/install.mjs';

const require = createRequire(import.meta.url);
// The TypeScript of @arethetypeswrong/cli is an old one, which still knows node10.
const requireOld = createRequire(require.resolve('@arethetypeswrong/core'));
const compilers = {
  new: path.join(path.dirname(require.resolve('typescript/package.json')), 'bin', 'tsc'),
  old: path.join(path.dirname(requireOld.resolve('typescript/package.json')), 'bin', 'tsc'),
};

const MODES = [
  ['new', { module: 'node16', moduleResolution: 'node16' }],
  ['new', { module: 'nodenext', moduleResolution: 'nodenext' }],
  ['new', { module: 'esnext', moduleResolution: 'bundler' }],
  ['old', { module: 'commonjs', moduleResolution: 'node10', esModuleInterop: true }],
];

const fixtures = inRoot('compat-tests', 'packed', 'project');
const majorOf = (compiler) => Number(run(process.execPath, [compiler, '--version']).match(/(\d+)\./)[1]);

describe('packed: TypeScript', function () {
  this.timeout(180_000);
  let packed;
  before(() => {
    packed = packAndInstall();
    cpSync(fixtures, packed.folder, { recursive: true });
    mkdirSync(path.join(packed.folder, 'node_modules', '@types'));
    symlinkSync(inRoot('node_modules', '@types', 'node'), path.join(packed.folder, 'node_modules', '@types', 'node'));
  });
  after(() => packed?.remove());

  function compile(compiler, options, files, more = {}) {
    const config = {
      compilerOptions: { target: 'es2022', strict: true, skipLibCheck: false, types: ['node'], ...options, ...more },
      files,
    };
    writeFileSync(path.join(packed.folder, 'tsconfig.json'), JSON.stringify(config));
    return run(process.execPath, [compilers[compiler], '--project', '.'], { cwd: packed.folder });
  }

  it('the two compilers are of different ages', () => {
    expect(majorOf(compilers.new)).to.be.above(5);
    expect(majorOf(compilers.old)).to.be.below(6);
  });

  for (const [compiler, options] of MODES) {
    const { module, moduleResolution } = options;
    const title = `${compiler} compiler, ${module}, ${moduleResolution}`;
    // Without a package scope of its own an .mts file is an ES module in the node modes alone.
    const files = module.startsWith('node') ? ['esm.mts', 'common.cts'] : ['plain.ts'];

    it(`${title}: strict, assignable to node's modules, and a wrong use is refused`, () => {
      expect(compile(compiler, options, files, { noEmit: true })).to.equal('');
    });
  }

  for (const [compiler, options] of MODES) {
    const { module, moduleResolution } = options;
    const files = module.startsWith('node') ? ['declared.mts', 'declared.cts'] : ['declared.ts'];

    it(`${compiler} compiler, ${module}, ${moduleResolution}: what is exported again can be declared`, () => {
      expect(compile(compiler, options, files, { declaration: true, outDir: 'declared' })).to.equal('');
    });
  }

  it('what the compiler writes runs', () => {
    compile('new', { module: 'nodenext', moduleResolution: 'nodenext' }, ['esm.mts', 'common.cts']);
    for (const file of ['esm.mjs', 'common.cjs']) {
      expect(run(process.execPath, [file], { cwd: packed.folder }).trim()).to.equal('text true');
    }
  });
});
