// The results of several runs as those of one: the whole of bench/ takes longer than a machine is quiet.

/** @typedef {{ machine: any, options: any, totals: any, cases: any[] }} Results */

/** What has to be the same in all of them. */
const SAME = ['kernel', 'cpu', 'cpus', 'node'];

/** @param {Results[]} all @param {string} name of a fact @returns {any[]} each value once */
const values = (all, name) => [...new Set(all.map(({ machine }) => machine[name]))];

/** @param {any[]} facts sorted, the least and the most */
const range = (facts) => (facts.length > 1 ? `${facts[0]} to ${facts.at(-1)}` : facts[0]);

/** @param {Results[]} all */
function mergedMachine(all) {
  for (const name of SAME) {
    if (values(all, name).length > 1) throw new Error(`not of one machine: ${name} is ${values(all, name).join(', ')}`);
  }
  return {
    ...all[0].machine,
    ioengine: values(all, 'ioengine').join(', '),
    load_at_start: range(values(all, 'load_at_start').sort((a, b) => a - b)),
    date: range(values(all, 'date').sort()),
  };
}

/**
 * A case that several runs have measured has the measurements of all; the backends that it was forced to say which.
 * @param {Results[]} all
 */
function mergedCases(all) {
  const parts = all.flatMap(({ options, cases }) => cases.map((each) => ({ each, backends: options.backends })));
  return [...new Set(parts.map(({ each }) => each.name))].map((name) => {
    const same = parts.filter(({ each }) => each.name === name);
    const named = same.length > 1;
    const measurements = same.flatMap(({ each, backends }) =>
      each.measurements.map((/** @type {any} */ one) =>
        named ? { ...one, title: `${one.title} (${backends.join(', ')})` } : one,
      ),
    );
    return { ...same[0].each, measurements };
  });
}

/** @param {Results[]} all one at least; the cases stay in their order @returns {Results} */
export function mergedResults(all) {
  if (all.length === 1) return all[0];
  const sum = (/** @type {string} */ name) => all.reduce((total, { totals }) => total + totals[name], 0);
  const totals = Object.fromEntries(Object.keys(all[0].totals).map((name) => [name, sum(name)]));
  const options = { ...all[0].options, quick: all.some(({ options }) => options.quick) };
  return { machine: mergedMachine(all), options, totals, cases: mergedCases(all) };
}
