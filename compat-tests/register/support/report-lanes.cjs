// Preloaded into children: says at the end what the engine did, without starting it.
const { isMainThread } = require('node:worker_threads');
const { writeSync } = require('node:fs');
const { stats, backend } = require('ioengine');

const usedOf = (lanes) => Object.values(lanes).reduce((sum, { operations }) => sum + operations, 0);

if (isMainThread) {
  process.on('exit', () => {
    const { lanes } = stats();
    const { delegated: _delegated, ...own } = lanes;
    writeSync(2, `LANES ${JSON.stringify(usedOf(own) === 0 ? null : { name: backend().name, lanes })}\n`);
  });
}
