// A fault that is there from the start, or from some call on, and stays: everything of the API is carried out all the
// same, by another lane. Its argument: { folder, fault: { site, kind, value, first } }; `fault` may be null. The last
// line of its output is the result.
import { isDeepStrictEqual } from 'node:util';
import nodeFs from 'node:fs';
import path from 'node:path';
import { arm, disarm, held } from './injector.mjs';
import { FOR_GOOD } from './sites.mjs';
import { contentsOf, prepare, referenceFs, scenarios } from './scenarios.mjs';

const { folder: root, fault } = JSON.parse(process.argv[2]);
if (fault !== null) arm({ times: FOR_GOOD, ...fault });
const { default: fs } = await import('ioengine/fs');
const { backend } = await import('ioengine');

async function outcomeOf(scenario, module_) {
  const folder = path.join(root, 'files');
  nodeFs.mkdirSync(folder);
  prepare(folder);
  const value = await scenario.run(module_, folder).catch((error) => `rejected: ${error.stack}`);
  const files = scenario.kind === 'changes' ? contentsOf(folder) : undefined;
  nodeFs.rmSync(folder, { recursive: true });
  return { value, files };
}

const failures = [];
for (const scenario of scenarios) {
  const reference = await outcomeOf(scenario, referenceFs);
  const outcome = await outcomeOf(scenario, fs);
  if (isDeepStrictEqual(outcome, reference)) continue;
  failures.push({ scenario: scenario.name, value: String(outcome.value).slice(0, 300) });
}
for (let i = 0; i < 100 && held().requests > 0; i++) await new Promise((resolve) => setTimeout(resolve, 10));
const happened = disarm();
console.log(JSON.stringify({ failures, happened, left: held().requests, backend: backend().name }));
