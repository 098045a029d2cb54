// The text of a diagnosis.

import type { Diagnosis } from './diagnosis';
import type { Limit, Limits } from './doctor-system';
import { bytes, columns, table } from './text';

type Row = readonly [string, string];

const section = (title: string, rows: readonly Row[]): string[] => ['', title, ...columns(rows)];

function backendRows({ backends }: Diagnosis): Row[] {
  return Object.entries(backends).flatMap(([name, found]): Row[] => {
    if (found === 'not probed') return [[name, 'not probed: another one was asked for by name']];
    if (found.available) return [[name, 'available']];
    return [
      [name, `not available: ${found.reason}`],
      ['', `fix: ${found.fix}`],
    ];
  });
}

function chosenRows({ backend, refusal, environment }: Diagnosis): Row[] {
  const variables = Object.entries(environment).map(([name, value]): Row => [name, value]);
  if (refusal !== undefined) return [['error', `${refusal.code}: ${refusal.message}`], ...variables];
  const { name, reason, depth } = backend!;
  return [
    ['backend', `${name}${depth > 0 ? `, ${depth} requests with the kernel at once` : ''}`],
    ['because', reason],
    ...variables,
  ];
}

function limitText(limit: Limit | undefined, inBytes: boolean): string {
  if (limit === undefined) return 'unknown';
  const text = (value: Limit['soft']): string =>
    typeof value === 'number' && inBytes ? bytes(value) : value.toLocaleString('en-US');
  return limit.soft === limit.hard ? text(limit.soft) : `${text(limit.soft)} (hard limit ${text(limit.hard)})`;
}

function limitRows(limits: Limits): Row[] {
  const { aio, cgroupPids } = limits;
  const known = (value: number | string | undefined): string => value?.toLocaleString('en-US') ?? 'unknown';
  const rows: Row[] = [
    ['locked memory (memlock)', limitText(limits.memlock, true)],
    ['open files (nofile)', limitText(limits.nofile, false)],
    ['fs.aio-nr of fs.aio-max-nr', aio.max === undefined ? 'no AIO here' : `${known(aio.used)} of ${known(aio.max)}`],
    ['kernel.io_uring_disabled', limits.ioUringDisabledMeans ?? 'not there: nothing but seccomp forbids io_uring'],
    ['vm.max_map_count', known(limits.maxMapCount)],
  ];
  if (limits.ioUringDisabled === 1) rows.push(['kernel.io_uring_group', known(limits.ioUringGroup)]);
  if (cgroupPids.max !== undefined)
    rows.push(['threads of the cgroup (pids)', `${known(cgroupPids.current)} of ${known(cgroupPids.max)}`]);
  return rows;
}

function sandboxRows({ sandbox }: Diagnosis): Row[] {
  const { seccomp, noNewPrivileges, hints } = sandbox;
  return [
    ['seccomp', seccomp === 'filter' ? 'filter: system calls may be refused' : seccomp],
    ['no_new_privs', noNewPrivileges ? 'yes' : 'no'],
    ['container', hints.length === 0 ? 'none seen' : hints.join(', ')],
  ];
}

function directText({
  supported,
  reason,
  offsetAlignment,
  memoryAlignment,
}: NonNullable<Diagnosis['place']>['direct']) {
  if (!supported) return `no: ${reason}`;
  if (offsetAlignment === undefined) return 'yes';
  if (offsetAlignment === 1)
    return 'yes; the filesystem takes any offset, so it serves such files from memory or buffers';
  const memory = memoryAlignment === undefined ? 'its own' : bytes(memoryAlignment);
  return `yes; for node:fs offsets and lengths in ${bytes(offsetAlignment)}, memory at ${memory}; for ioengine any`;
}

const TYPES_SHOWN = 6;

function filesystemLines({ filesystems }: Diagnosis): string[] {
  if (filesystems === undefined) return [];
  const rows = Object.entries(filesystems).map(([kind, { types, files, paths }]) => {
    const more = types.length > TYPES_SHOWN ? ', …' : '';
    const named = types.length === 0 ? 'NFS, SMB, Ceph, FUSE and every other' : types.slice(0, TYPES_SHOWN).join(', ');
    return [kind, files.join(', '), paths.join(', '), `${named}${more}`];
  });
  return ['', 'Filesystems', ...table(['kind', 'open files', 'paths', 'types'], rows)];
}

function placeLines(place: NonNullable<Diagnosis['place']>): string[] {
  const { mount } = place;
  const rows: Row[] = [
    ['path', place.path === place.realPath ? place.path : `${place.path}, which is ${place.realPath}`],
    ['type', place.type],
    ['filesystem', `${mount?.type ?? 'unknown'} (${place.magic}), ${bytes(place.freeBytes)} free`],
    ['mounted', mount === undefined ? 'unknown' : `${mount.source} on ${mount.point} (${mount.options})`],
    ...(place.kind === undefined ? [] : [['kind', `${place.kind}: ${place.kindMeans}`] as Row]),
    ['O_DIRECT', directText(place.direct)],
  ];
  const lanes = place.lanes.map(({ operation, lane }) => [operation, lane]);
  const seen = lanes.length === 0 ? [] : ['', ...table(['operation', 'lane'], lanes)];
  return [...section('Path', rows), ...seen];
}

export function reportLines(found: Diagnosis): string[] {
  const { node, system, binary } = found;
  const binaryRows: Row[] = [['addon', binary.loaded ?? `none: ${binary.failure ?? 'it was not looked for'}`]];
  if (binary.namedBy !== undefined) binaryRows.push(['named by', binary.namedBy]);
  return [
    `ioengine doctor: ${found.verdict}`,
    ...section('System', [
      ['node', `${node.version}, ${node.executable}`],
      ['kernel', `${system.platform} ${system.kernel}, ${system.arch}`],
      ['libc', system.libc],
      ...binaryRows,
    ]),
    ...section('Chosen', chosenRows(found)),
    ...section('Backends', backendRows(found)),
    ...filesystemLines(found),
    ...section('Limits', limitRows(found.limits)),
    ...section('Sandbox', sandboxRows(found)),
    ...(found.place === undefined ? [] : placeLines(found.place)),
  ];
}
