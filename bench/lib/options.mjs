// The command line of `npm run bench`.
import { parseArgs } from 'node:util';

export const usage = `npm run bench -- [options]

  --only CASE      run these cases only, by name or number (repeatable, or with commas)
  --backend NAME   measure the engine on these backends: uring, aio, threads, auto (repeatable; default uring,aio)
  --json FILE      write everything that was measured to FILE
  --quick          3 short rounds, less data, the running Node, Bun and C only: a first look, at most 3 minutes
  --smoke          one tiny round of the engine and its Node: does every case still run? Its figures say nothing
  --node VERSION   run the workers in this Node: 24, 26, or running (default: the newest that is installed)
  --engine DIR     a second build of the engine (the root of a worktree), compared with this one round by round
  --competitors    install Node 24, Node 26, Bun and Deno from the npm registry first
  --list           list the cases and end`;

const BACKENDS = ['uring', 'aio', 'threads', 'auto'];

/**
 * @param {string[]} args
 * @param {string[]} caseNames
 * @param {Map<string, string>} aliases other names of these cases
 */
export function parseOptions(args, caseNames, aliases) {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: 'string', multiple: true },
      backend: { type: 'string', multiple: true },
      json: { type: 'string' },
      quick: { type: 'boolean', default: false },
      smoke: { type: 'boolean', default: false },
      node: { type: 'string' },
      engine: { type: 'string' },
      competitors: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const only = [...new Set(split(values.only).map((name) => aliases.get(name) ?? name))];
  const backends = split(values.backend);
  requireKnown('case', only, caseNames);
  requireKnown('backend', backends, BACKENDS);
  return {
    ...values,
    only: only.length > 0 ? only : caseNames,
    backends: backends.length > 0 ? backends : values.smoke ? ['auto'] : ['uring', 'aio'],
  };
}

/** @param {string[] | undefined} values */
function split(values) {
  return [
    ...new Set((values ?? []).flatMap((value) => value.split(',')).map((value) => value.trim().toLowerCase())),
  ].filter((value) => value !== '');
}

/**
 * @param {string} what
 * @param {string[]} given
 * @param {string[]} known
 */
function requireKnown(what, given, known) {
  const wrong = given.find((value) => !known.includes(value));
  if (wrong !== undefined) throw new Error(`unknown ${what} '${wrong}'; there are: ${known.join(', ')}`);
}
