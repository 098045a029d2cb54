// The environment of a program that is to run on the engine without knowing of it.

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const distribution = join(__dirname, '..');

/** By its address: a name would be looked for from the folder of each process. */
const REGISTER = `--import=${pathToFileURL(join(distribution, 'register.js'))}`;

/** For NODE_OPTIONS: blanks and quotes in a path. */
const quoted = (option: string): string =>
  /[\s"\\]/.test(option) ? `"${option.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"` : option;

export function environmentWithEngine(env: NodeJS.ProcessEnv, preload?: string): NodeJS.ProcessEnv {
  const { IOENGINE_DISABLE: _, NODE_OPTIONS = '', ...others } = env;
  const options = [quoted(REGISTER)];
  if (preload !== undefined) options.push(quoted(`--require=${join(distribution, preload)}`));
  if (NODE_OPTIONS !== '') options.push(NODE_OPTIONS);
  return { ...others, NODE_OPTIONS: options.join(' ') };
}
