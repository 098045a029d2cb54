// src/surface.ts says who serves each name. It has to know every name of the running Node, and to be true.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { expect } from 'chai';
import { inRoot } from '../../scripts/lib/paths.mjs';
import { skipBecause } from '../helpers/compare.mjs';
import { node, nodeP, ours, oursNamespace, oursP, subjectOverridden } from '../helpers/oracle.mjs';

const { FS, PROMISES } = createRequire(import.meta.url)(inRoot('dist', 'surface.js'));
const { OPERATION_NAMES } = createRequire(import.meta.url)(inRoot('dist', 'native', 'operations.js'));
const namesOf = (rows) => rows.flatMap(({ names }) => names);

/** A property without the accessors that load streams or warn of a deprecation. */
function own(object, name) {
  const descriptor = Object.getOwnPropertyDescriptor(object, name);
  return descriptor?.enumerable ? object[name] : descriptor?.get;
}

describe('surface: the table of names', () => {
  before(function () {
    if (subjectOverridden) skipBecause(this, 'the table is about ioengine, and another subject is in its place');
  });

  for (const [module, rows, theirs, mine] of [
    ['node:fs', FS, node, ours],
    ['node:fs/promises', PROMISES, nodeP, oursP],
  ]) {
    it(`${module}: knows every name of this Node, each once`, () => {
      const known = namesOf(rows);
      expect(known.filter((name, index) => known.indexOf(name) !== index)).to.deep.equal([]);
      const real = Object.getOwnPropertyNames(theirs);
      expect(
        real.filter((name) => !known.includes(name)),
        'add these to src/surface.ts',
      ).to.deep.equal([]);
      expect(real.length).to.be.greaterThan(known.length / 2);
    });

    it(`${module}: what node serves is node’s function, what the engine serves is not`, () => {
      const wrong = [];
      for (const { names, server } of rows) {
        for (const name of names) {
          if (!Object.hasOwn(theirs, name) || name === 'promises') continue;
          const same = own(mine, name) === own(theirs, name);
          if (same !== (server !== 'engine')) wrong.push(`${name}: said to be served by ${server}`);
        }
      }
      expect(wrong).to.deep.equal([]);
    });
  }

  it('ES modules export every name in the table, also those that this Node lacks', async () => {
    const promised = await import('ioengine/fs/promises');
    expect(Object.keys(oursNamespace)).to.include.members(namesOf(FS));
    expect(Object.keys(promised)).to.include.members(namesOf(PROMISES));
    expect(Object.keys(oursNamespace).filter((name) => !namesOf(FS).includes(name))).to.deep.equal(['default']);
    expect(Object.keys(promised).filter((name) => !namesOf(PROMISES).includes(name))).to.deep.equal(['default']);
  });

  it('docs/compatibility.md has the current table', () => {
    const { status, stderr } = spawnSync(process.execPath, [inRoot('scripts', 'generate-surface.mjs'), '--check'], {
      encoding: 'utf8',
    });
    expect(status, stderr).to.equal(0);
  });

  it('backend().capabilities names operations of operations.def', async () => {
    const { backend } = await import('ioengine');
    const { operations } = backend().capabilities;
    expect(OPERATION_NAMES).to.include.members(operations);
  });
});
