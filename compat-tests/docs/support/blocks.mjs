// The blocks of code of a Markdown file, and those that cannot be run here, each with the reason.
import { readdirSync, readFileSync } from 'node:fs';
import { inRoot } from '../../../scripts/lib/paths.mjs';

/** What a user reads: README and the guides. */
export const documents = ['README.md', ...readdirSync(inRoot('docs', 'guides')).map((name) => `docs/guides/${name}`)];

/** Commands that no test runs, by how their line begins. */
const COMMANDS_LEFT_OUT = [
  { pattern: /^npm install ioengine\b/, because: 'it asks the registry; compat-tests/packed installs the tarball' },
  {
    pattern: /^docker /,
    because: 'it needs a Docker daemon; doctor.test.mjs has a seccomp filter like that of Docker',
  },
];

/** Blocks that are for other programs, by their language. */
const BLOCKS_LEFT_OUT = {
  dockerfile: 'it needs a Docker daemon',
  yaml: 'it needs a cluster of Kubernetes',
};

const RUN = ['js', 'cjs', 'sh', 'json'];

/**
 * @returns {{ document: string, line: number, language: string, text: string }[]}
 */
export function blocksOf(document, text = readFileSync(inRoot(document), 'utf8')) {
  const blocks = [];
  let block;
  text.split('\n').forEach((line, index) => {
    const fence = /^```(\w*)$/.exec(line);
    if (fence === null) block?.lines.push(line);
    else if (block === undefined) block = { line: index + 1, language: fence[1], lines: [] };
    else {
      blocks.push({ document, line: block.line, language: block.language, text: `${block.lines.join('\n')}\n` });
      block = undefined;
    }
  });
  if (block !== undefined) throw new Error(`${document}:${block.line}: a block without an end`);
  return blocks;
}

/** Why a whole block is not run, or undefined. Throws for a language that nobody has decided about. */
export function reasonForBlock({ document, line, language }) {
  if (RUN.includes(language)) return undefined;
  const because = BLOCKS_LEFT_OUT[language];
  if (because === undefined) throw new Error(`${document}:${line}: nobody runs blocks of '${language}'`);
  return because;
}

/** The commands of a block, without those that are left out, and the reasons of these. */
export function commandsOf({ text }) {
  const commands = [];
  const leftOut = [];
  for (const line of text.split('\n')) {
    const found = COMMANDS_LEFT_OUT.find(({ pattern }) => pattern.test(line));
    if (found === undefined) commands.push(line);
    else leftOut.push({ line, because: found.because });
  }
  return { commands: commands.join('\n'), leftOut };
}
