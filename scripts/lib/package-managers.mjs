// Package managers that install the tarball, each of one version, from the npm registry into .tools/.
import path from 'node:path';
import { installInto } from './node-versions.mjs';
import { findProgram, PlainError } from './run.mjs';
import { tool } from './toolchain.mjs';

/** The program of a package in `folder`, as the words that start it with a Node. */
const jsIn =
  (name, ...file) =>
  (folder, node) => [node, path.join(folder, 'node_modules', name, ...file)];

/**
 * `install`: its arguments. `settings`: files of the project that it needs. `nodeArguments`: what Node is told so that
 * it finds what was installed. `program`: what is run, where it is not the ES module.
 */
const MANAGERS = [
  {
    name: 'npm 12',
    spec: 'npm@12.2.2',
    command: jsIn('npm', 'bin', 'npm-cli.js'),
    install: (tarball) => ['install', '--offline', '--no-audit', '--no-fund', tarball],
  },
  {
    name: 'pnpm',
    spec: 'pnpm@12.4.2',
    command: (folder) => [path.join(folder, 'node_modules', '.bin', 'pnpm')],
    install: (tarball) => ['add', '--offline', tarball],
  },
  {
    // Its loader knows require alone, and no `exports` of package.json.
    name: "pnpm, Plug'n'Play",
    spec: 'pnpm@12.4.2',
    command: (folder) => [path.join(folder, 'node_modules', '.bin', 'pnpm')],
    settings: { 'pnpm-workspace.yaml': 'nodeLinker: pnp\nsymlink: false\n' },
    install: (tarball) => ['add', '--offline', tarball],
    nodeArguments: ['--require', './.pnp.cjs'],
    program: 'main.cjs',
  },
  {
    name: 'yarn 1',
    spec: 'yarn@1.22.22',
    command: jsIn('yarn', 'bin', 'yarn.js'),
    install: (tarball) => ['add', '--offline', '--no-lockfile', tarball],
  },
  {
    name: 'yarn 4, node_modules',
    spec: '@yarnpkg/cli-dist@4.18.1',
    command: jsIn('@yarnpkg/cli-dist', 'bin', 'yarn.js'),
    settings: {
      '.yarnrc.yml': 'nodeLinker: node-modules\nenableTelemetry: false\nenableGlobalCache: false\n',
      'yarn.lock': '',
    },
    install: (tarball) => ['add', `ioengine@file:${tarball}`],
  },
  {
    name: "yarn 4, Plug'n'Play",
    spec: '@yarnpkg/cli-dist@4.18.1',
    command: jsIn('@yarnpkg/cli-dist', 'bin', 'yarn.js'),
    settings: {
      '.yarnrc.yml': 'nodeLinker: pnp\npnpEnableEsmLoader: true\nenableTelemetry: false\nenableGlobalCache: false\n',
      'yarn.lock': '',
    },
    install: (tarball) => ['add', `ioengine@file:${tarball}`],
    nodeArguments: ['--require', './.pnp.cjs', '--experimental-loader', './.pnp.loader.mjs', '--no-warnings'],
  },
];

/** The npm that comes with the running Node. */
const ownNpm = {
  name: 'npm',
  command: () => [findProgram('npm')],
  install: MANAGERS[0].install,
};

/** Fetched where they are not there yet: `command` is then a list of words, for a Node that runs them. */
export function packageManagers(node) {
  return [ownNpm, ...MANAGERS].map((manager) => {
    if (manager.spec === undefined) return { ...manager, command: manager.command() };
    const folder = tool(manager.spec.replace(/^.*\//, '').replace('@', '-'), (made) => {
      const problem = installInto(manager.spec, made);
      if (problem) throw new PlainError(problem);
    });
    return { ...manager, command: manager.command(folder, node) };
  });
}
