// The tarball that `npm pack` makes, installed into an empty folder: nothing of the repository is in reach there.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { copyLocalBuild } from '../../../scripts/lib/local-prebuild.mjs';
import { inRoot, root } from '../../../scripts/lib/paths.mjs';
import { prebuildsAreCurrent, prebuildsFolder } from '../../../scripts/lib/prebuilds.mjs';
import { removeDirectory, temporaryDirectory } from '../../helpers/tempdir.mjs';

/** Runs a program to its end; what it printed, or an error with all of it. */
export function run(program, args, options) {
  const { status, signal, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8', ...options });
  if (error) throw error;
  if (status !== 0) {
    throw new Error(`${program} ${args.join(' ')} ended with ${signal ?? status}:\n${stdout}${stderr}`);
  }
  return stdout;
}

/** What is large, or is made: none of it is for the package. */
const LEFT_OUT = /^(node_modules|build.*|prebuilds|bench|compat-tests|\..*|.*\.tgz)$/;

/** A copy of the repository to be packed, with the binaries that there are: for every target, or for this machine. */
function stage(folder) {
  for (const name of readdirSync(root)) {
    if (!LEFT_OUT.test(name)) cpSync(path.join(root, name), path.join(folder, name), { recursive: true });
  }
  cpSync(inRoot('binding.gyp'), path.join(folder, 'binding.gyp'));
  if (prebuildsAreCurrent()) cpSync(prebuildsFolder, path.join(folder, 'prebuilds'), { recursive: true });
  else copyLocalBuild(path.join(folder, 'prebuilds'));
}

/** @returns {{ tarball: string, files: string[] }} the tarball in `folder`, and the names in it */
export function pack(folder) {
  const staged = path.join(folder, 'repository');
  mkdirSync(staged);
  stage(staged);
  const args = ['pack', '--json', '--ignore-scripts', '--loglevel=error', '--pack-destination', folder];
  const parsed = JSON.parse(run('npm', args, { cwd: staged }));
  // npm 11 and older print a list, npm 12 an object by package name.
  const [{ files, filename }] = Array.isArray(parsed) ? parsed : Object.values(parsed);
  return { tarball: path.join(folder, filename), files: files.map((file) => file.path).sort() };
}

/**
 * Packs, and installs the tarball with no registry to ask.
 * @returns {{ folder: string, installed: string, files: string[], tarball: string, remove: () => void }}
 */
export function packAndInstall() {
  const top = temporaryDirectory();
  const { tarball, files } = pack(top);
  const folder = path.join(top, 'project');
  mkdirSync(folder);
  writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n');
  run('npm', ['install', '--offline', '--no-audit', '--no-fund', '--loglevel=error', tarball], { cwd: folder });
  const installed = path.join(folder, 'node_modules', 'ioengine');
  return { folder, installed, files, tarball, remove: () => removeDirectory(top) };
}

/** Names of all files below a folder. */
export function filesOf(folder) {
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true });
  const names = entries.filter((entry) => !entry.isDirectory());
  return names.map((entry) => path.relative(folder, path.join(entry.parentPath ?? entry.path, entry.name))).sort();
}
