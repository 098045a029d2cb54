// Every name of node:fs and node:fs/promises is there, and looks the same.
import fs from 'node:fs';
import { expect } from 'chai';
import {
  node,
  nodeP,
  ours,
  oursNamespace,
  oursP,
  require,
  subjectOverridden,
  subjectRequest,
  subjectSpecifier,
} from '../helpers/oracle.mjs';

const display = (key) => String(key);

// Ours are subclasses of node's, so that what node's have themselves is inherited here.
const STREAMS = ['ReadStream', 'WriteStream', 'FileReadStream', 'FileWriteStream'];

/** What can be told from a property without calling it. */
function shape(object, key) {
  const descriptor = Object.getOwnPropertyDescriptor(object, key);
  if (!descriptor) return 'missing';
  const value = object[key];
  const seen = { type: typeof value, enumerable: descriptor.enumerable, configurable: descriptor.configurable };
  if ('get' in descriptor) Object.assign(seen, { get: typeof descriptor.get, set: typeof descriptor.set });
  else seen.writable = descriptor.writable;
  if (typeof value === 'function') {
    Object.assign(seen, { name: value.name, length: value.length, constructs: isConstructor(value) });
    seen.tag = Object.prototype.toString.call(value); // tells an async function
    if (STREAMS.includes(key)) {
      Object.assign(seen, { own: inherited(value), members: inherited(value.prototype) });
    } else {
      seen.own = members(value);
      if (typeof value.prototype === 'object') seen.members = members(value.prototype);
    }
  }
  return seen;
}

/** Own properties with their descriptors, in order; of functions, such as `realpath.native`, name and length too. */
function members(object) {
  return Reflect.ownKeys(object).map((key) => {
    const { value, get, set, ...flags } = Object.getOwnPropertyDescriptor(object, key);
    const kind = get || set ? `accessor ${typeof get} ${typeof set}` : typeof value;
    const called = typeof value === 'function' ? [value.name, value.length] : [];
    return [display(key), kind, ...called, flags];
  });
}

/** The members of an object and of all that it inherits from, each once, whoever has it. */
function inherited(object) {
  const found = new Map();
  for (let at = object; at !== null; at = Object.getPrototypeOf(at)) {
    for (const [name, kind, ...called] of members(at)) {
      // Without the flags: the subclass has its own.
      if (!found.has(name)) found.set(name, [kind, ...called.slice(0, -1)]);
    }
  }
  return Object.fromEntries([...found].sort(([left], [right]) => (left < right ? -1 : 1)));
}

function isConstructor(value) {
  try {
    Reflect.construct(Object, [], value);
    return true;
  } catch {
    return false;
  }
}

describe('surface: names', () => {
  for (const [module, theirs, mine] of [
    ['node:fs', node, ours],
    ['node:fs/promises', nodeP, oursP],
  ]) {
    const keys = Reflect.ownKeys(theirs);
    it(`${module} has a plausible number of names to compare`, () => {
      expect(keys.length).to.be.greaterThan(module === 'node:fs' ? 100 : 30);
    });
    it(`has the names of ${module} in the same order, and no other`, () => {
      expect(Reflect.ownKeys(mine).map(display)).to.deep.equal(keys.map(display));
    });
    it(`${module} is the same kind of object`, () => {
      expect(Object.getPrototypeOf(mine)).to.equal(Object.getPrototypeOf(theirs));
      for (const is of [Object.isExtensible, Object.isSealed, Object.isFrozen, Object.prototype.toString])
        expect(is.call(mine, mine), is.name).to.equal(is.call(theirs, theirs));
    });
    for (const key of keys) {
      if (module === 'node:fs' && key === 'promises') continue; // a lazy getter in node, see below
      it(`${module} ${display(key)}`, () => expect(shape(mine, key)).to.deep.equal(shape(theirs, key)));
    }
  }

  it('fs.promises is enumerable and is the module ioengine/fs/promises', () => {
    expect(ours.promises).to.equal(oursP);
    expect(Object.keys(ours)).to.include('promises');
  });

  it('host objects are the host’s own', () => {
    for (const name of ['Stats', 'Dirent', 'Dir', 'constants']) expect(ours[name], name).to.equal(node[name]);
    expect(oursP.constants).to.equal(nodeP.constants);
  });

  it('open is dual: a callback gives a descriptor, no callback a promise', async () => {
    const returned = ours.open(import.meta.filename ?? new URL(import.meta.url), 'r', (error, fd) => {
      expect(error).to.equal(null);
      fs.closeSync(fd);
    });
    expect(returned).to.equal(undefined);
    const handle = await ours.open(new URL(import.meta.url));
    expect(handle.fd).to.be.a('number');
    await handle.close();
  });

  it('every other function without a callback throws as node’s does', () => {
    const compared = [];
    for (const key of Object.keys(node)) {
      if (typeof node[key] !== 'function' || !(`${key}Sync` in node) || key === 'open') continue;
      const thrown = [node, ours].map((api) => {
        try {
          api[key]('/nonexistent-ioengine', '/nonexistent-ioengine-2');
          return 'nothing';
        } catch (error) {
          return [error.name, error.code, error.message];
        }
      });
      expect(thrown[1], key).to.deep.equal(thrown[0]);
      compared.push(key);
    }
    expect(compared.length).to.be.greaterThan(30);
  });

  it('ReadStream and WriteStream can be replaced, and new fs.createReadStream() works', async () => {
    const file = new URL(import.meta.url);
    for (const make of [
      () => ours.ReadStream(file),
      () => new ours.ReadStream(file),
      () => new ours.createReadStream(file),
    ]) {
      const stream = make();
      expect(stream).to.be.instanceOf(ours.ReadStream);
      expect(stream).to.be.instanceOf(node.ReadStream);
      await new Promise((resolve) => stream.on('close', resolve).destroy());
    }
    const before = ours.ReadStream;
    class Replaced extends before {}
    ours.ReadStream = Replaced;
    try {
      expect(ours.ReadStream).to.equal(Replaced);
    } finally {
      ours.ReadStream = before;
    }
  });

  it('is mutable: a patched function is what the object has', () => {
    const original = ours.stat;
    const patched = () => 'patched';
    ours.stat = patched;
    try {
      expect(ours.stat).to.equal(patched);
      expect(node.stat).to.not.equal(patched);
    } finally {
      ours.stat = original;
    }
  });
});

describe('surface: import and require', () => {
  it('give one and the same object', () => {
    expect(require(subjectRequest)).to.equal(ours);
    if (!subjectOverridden) expect(require('ioengine/fs/promises')).to.equal(oursP);
  });

  it('ES modules get every name that node:fs has, and default', async function () {
    if (subjectOverridden) {
      const { skipBecause } = await import('../helpers/compare.mjs');
      return skipBecause(this, 'the overriding subject is CommonJS: it has no list of ESM names');
    }
    const namespace = await import(subjectSpecifier);
    const theirs = await import('node:fs');
    expect(Object.keys(oursNamespace)).to.include.members(Object.keys(theirs));
    for (const key of Object.keys(theirs)) expect(namespace[key], key).to.equal(key === 'default' ? ours : ours[key]);
    const promised = await import('ioengine/fs/promises');
    expect(Object.keys(promised)).to.include.members(Object.keys(await import('node:fs/promises')));
    for (const key of Object.keys(await import('node:fs/promises'))) {
      expect(promised[key], key).to.equal(key === 'default' ? oursP : oursP[key]);
    }
  });

  it('leaks no globals', async () => {
    const { runSnippet } = await import('../parity/support/child.mjs');
    const source = `const own = Reflect.ownKeys(globalThis).map(String); log(JSON.stringify(own.sort()));`;
    const { execFileSync } = await import('node:child_process');
    const plain = JSON.parse(
      execFileSync(
        process.execPath,
        ['--input-type=module', '-e', 'console.log(JSON.stringify(Reflect.ownKeys(globalThis).map(String).sort()))'],
        { encoding: 'utf8' },
      ),
    );
    const { stdout, stderr } = await runSnippet('ours', '/nowhere', source);
    expect(stdout, stderr).to.not.equal('');
    expect(JSON.parse(stdout)).to.deep.equal(plain);
  });
});
