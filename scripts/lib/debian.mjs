// Packages of Debian, fetched and unpacked into a folder of ours: of any architecture, and nothing of it gets into the
// system. apt-get is given lists and settings of its own; where it fetches from is what the system's knows.
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { findProgram, PlainError, runQuietly } from './run.mjs';

const pathsIn = (folder) =>
  Object.entries({
    'Dir::Etc::SourceList': path.join(folder, 'sources.list'),
    'Dir::Etc::SourceParts': '/dev/null',
    'Dir::State::Lists': path.join(folder, 'lists'),
    'Dir::State::status': path.join(folder, 'status'),
    'Dir::Cache': path.join(folder, 'cache'),
    'APT::Sandbox::User': 'root',
  }).flatMap(([name, value]) => ['-o', `${name}=${value}`]);

const known = (type) => {
  const format = `${type} $(SITE) $(RELEASE) $(COMPONENT)`;
  const args = ['indextargets', '--format', format, 'Created-By: Packages', 'Origin: Debian'];
  return [...new Set(runQuietly('apt-get', args).stdout?.split('\n').filter(Boolean))];
};

/** Makes apt-get's files in `folder`, and gives a function that runs it there. */
function aptIn(folder, type, settings) {
  if (!findProgram('apt-get')) throw new PlainError('there is no apt-get on this system');
  const sources = known(type);
  if (sources.length === 0) throw new PlainError('apt-get knows no packages of Debian: run apt-get update');
  for (const name of ['lists/partial', 'cache/archives/partial'])
    mkdirSync(path.join(folder, name), { recursive: true });
  writeFileSync(path.join(folder, 'sources.list'), `${sources.join('\n')}\n`);
  writeFileSync(path.join(folder, 'status'), '');
  return (...args) => {
    const all = [...pathsIn(folder), ...settings, '-q', ...args];
    const { status, stderr } = runQuietly('apt-get', all, { cwd: folder });
    if (status !== 0) throw new PlainError(`apt-get ${args.join(' ')} failed: ${stderr.trim()}`);
  };
}

/** Fetches the files of a source package, `name=version`, into `folder`. */
export function downloadSource(source, folder) {
  const apt = aptIn(folder, 'deb-src', []);
  apt('update');
  apt('source', '--download-only', source);
}

/** Unpacks packages of an architecture (as Debian names it: amd64, arm64) into `folder`, without dependencies. */
export function unpackPackages(packages, architecture, folder) {
  const work = path.join(folder, '.apt');
  mkdirSync(work, { recursive: true });
  const settings = ['-o', `APT::Architecture=${architecture}`, '-o', `APT::Architectures=${architecture}`];
  const apt = aptIn(work, 'deb', settings);
  apt('update');
  apt('download', ...packages);
  for (const name of readdirSync(work).filter((file) => file.endsWith('.deb'))) {
    const { status, stderr } = runQuietly('dpkg-deb', ['--extract', path.join(work, name), folder]);
    if (status !== 0) throw new PlainError(`${name} cannot be unpacked: ${stderr.trim()}`);
  }
}
