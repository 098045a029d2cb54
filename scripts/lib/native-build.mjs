// Builds the addon with node-gyp into build/Release, when what it is built from has changed.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { commonFlags } from './compile.mjs';
import { addonFile, addonSources, filesBelow, inRoot } from './paths.mjs';
import { PlainError, runLoudly, say } from './run.mjs';
import { digestOf, readStamp, writeStamp } from './stamp.mjs';

const stampFile = inRoot('build', '.stamp');

/**
 * The folder whose include/node holds the headers of exactly this Node, when they came with it; node-gyp then needs
 * no network. Headers of another version would build an addon that loads and then misbehaves: never use those.
 */
export function localNodeHeaders() {
  const prefix = path.dirname(path.dirname(process.execPath));
  const file = path.join(prefix, 'include', 'node', 'node_version.h');
  if (!existsSync(file)) return undefined;
  const text = readFileSync(file, 'utf8');
  const number = (name) => new RegExp(`#define NODE_${name}_VERSION (\\d+)`).exec(text)?.[1];
  const version = `v${number('MAJOR')}.${number('MINOR')}.${number('PATCH')}`;
  return version === process.version ? prefix : undefined;
}

/** For a build of the addon without node-gyp: with sanitizers, with fault points. */
export function addonFlags() {
  const headers = localNodeHeaders();
  if (!headers) throw new PlainError(`no headers of Node ${process.version} beside ${process.execPath}`);
  return [
    '-O1',
    '-fPIC',
    ...commonFlags,
    '-DNAPI_VERSION=9',
    '-DNODE_GYP_MODULE_NAME=ioengine',
    '-DBUILDING_NODE_EXTENSION',
    `-I${path.join(headers, 'include', 'node')}`,
  ];
}

export const addonLinkFlags = ['-shared', '-Wl,-z,nodelete', '-l:liburing.a', '-lpthread'];

const nativeInputs = () => [
  ...addonSources(),
  ...filesBelow(inRoot('csrc'), ['.h', '.def', '.map']),
  inRoot('binding.gyp'),
  inRoot('package-lock.json'),
];
const digest = () => digestOf(nativeInputs(), [process.version, process.arch]);

export const nativeIsCurrent = () =>
  addonSources().length === 0 || (existsSync(addonFile) && readStamp(stampFile) === digest());

export function buildNative({ rebuild = false } = {}) {
  if (addonSources().length === 0) {
    say('build: csrc/ has no sources yet, nothing to compile');
    return;
  }
  if (!rebuild && nativeIsCurrent()) return;
  const before = digest();
  say('build: compiling the native addon');
  const nodeGyp = inRoot('node_modules', 'node-gyp', 'bin', 'node-gyp.js');
  const headers = localNodeHeaders();
  const commands = rebuild ? ['rebuild'] : ['configure', 'build'];
  const args = [nodeGyp, ...commands, '--release', '--loglevel=warn', '-j', 'max'];
  if (headers) args.push(`--nodedir=${headers}`);
  const env = { ...process.env };
  // npm hands its own settings down as variables; a stray nodedir there would win over the headers that fit.
  delete env.npm_config_nodedir;
  runLoudly(process.execPath, args, { env });
  writeStamp(stampFile, before);
}
