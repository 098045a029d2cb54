// FileHandle of ours has everything that node's has.
import { expect } from 'chai';
import { node, ours } from '../helpers/oracle.mjs';

const file = new URL(import.meta.url);

/** All keys on the way up to Object.prototype, with what they are. */
function chain(object) {
  const found = new Map();
  for (let at = Object.getPrototypeOf(object); at && at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    for (const key of Reflect.ownKeys(at)) {
      const descriptor = Object.getOwnPropertyDescriptor(at, key);
      const label = String(key);
      if (found.has(label)) continue;
      const kind = 'value' in descriptor ? typeof descriptor.value : 'accessor';
      found.set(
        label,
        kind === 'function' && key !== 'constructor'
          ? `function ${descriptor.value.name}/${descriptor.value.length}`
          : kind,
      );
    }
  }
  return found;
}

describe('surface: FileHandle', () => {
  let theirs;
  let mine;
  before(async () => {
    theirs = await node.promises.open(file);
    mine = await ours.promises.open(file);
  });
  after(() => Promise.all([theirs?.close(), mine?.close()]));

  it('has a plausible number of members to compare', () => {
    expect([...chain(theirs).keys()]).to.include.members([
      'read',
      'readv',
      'readLines',
      'readableWebStream',
      'fd',
      'getAsyncId',
      'on',
    ]);
  });

  it('every method, accessor and symbol of node’s handle is there with the same name and length', () => {
    const found = chain(mine);
    const expected = Object.fromEntries(chain(theirs));
    const actual = Object.fromEntries(Object.keys(expected).map((label) => [label, found.get(label) ?? 'missing']));
    expect(actual).to.deep.equal(expected);
  });

  it('is an instance of node’s class, is an EventEmitter, and has the same tag and class name', () => {
    expect(mine).to.be.instanceOf(theirs.constructor);
    expect(Object.prototype.toString.call(mine)).to.equal(Object.prototype.toString.call(theirs));
    expect(mine.constructor.name).to.equal(theirs.constructor.name);
    expect(mine.on).to.be.a('function');
  });

  it('has the same own properties', () => {
    const names = (handle) => Reflect.ownKeys(handle).map(String);
    expect(names(mine)).to.include.members(names(theirs));
    expect(Object.keys(mine)).to.deep.equal(Object.keys(theirs));
  });
});
