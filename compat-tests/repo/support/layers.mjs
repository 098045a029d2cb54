// The folders of src/ and csrc/ in their order: the one list of them that the tests know. The tables of src/README.md
// and csrc/README.md are compared with it. A folder uses those below it, never those above.

/** From the top down. The entry points are the files directly in src/. */
export const srcFolders = [
  'types',
  'functions',
  'file-handle',
  'streams',
  'descriptor',
  'modules',
  'engine',
  'node',
  'native',
];

/** Programs that use the package through its entry points, as anybody would. Nothing imports them. */
export const programFolders = ['cli'];

/** From the bottom up. addon.cc, directly in csrc/, is above them all, and so are faults/ and test/. */
export const csrcFolders = ['base', 'memory', 'jobs', 'backend', 'scheduler', 'binding'];

/** What programs import; what is exported here is theirs. Bundles import `installed`. */
export const entryPoints = ['fs', 'promises', 'index', 'register', 'installed'];

/** What tests and scripts read from dist/, and nothing in src/ does: who serves each name, the names of operations. */
export const readByTests = ['surface', 'native/operations'];

const folderOf = (name) => (name.includes('/') ? name.split('/')[0] : '');

/**
 * Edges that point up, as "a.ts -> b.ts". A file outside of every listed folder is above all of them.
 *
 * @param {{ from: string, to: string }[]} edges names relative to the folder that has the list
 * @param {string[]} topDown
 */
export function upwardEdges(edges, topDown) {
  const rank = (name) => topDown.indexOf(folderOf(name));
  return edges.filter(({ from, to }) => rank(to) < rank(from)).map(({ from, to }) => `${from} -> ${to}`);
}

/**
 * Edges between a program's folder and anything but itself and the entry points, in either direction.
 *
 * @param {{ from: string, to: string }[]} edges
 */
export function edgesAcross(edges) {
  const isProgram = (name) => programFolders.includes(folderOf(name));
  const isEntry = (name) => entryPoints.includes(name.replace(/\.m?ts$/, ''));
  return edges
    .filter(({ from, to }) => folderOf(from) !== folderOf(to) && (isProgram(from) || isProgram(to)))
    .filter(({ from, to }) => !(isProgram(from) && isEntry(to)))
    .map(({ from, to }) => `${from} -> ${to}`);
}

/**
 * The circles among edges, each as its members in alphabetical order: Tarjan's strongly connected components.
 *
 * @param {{ from: string, to: string }[]} edges
 */
export function circlesOf(edges) {
  const targets = new Map();
  for (const { from, to } of edges) targets.set(from, [...(targets.get(from) ?? []), to]);
  const order = new Map();
  const lowest = new Map();
  const open = [];
  const circles = [];

  function visit(name) {
    order.set(name, order.size);
    lowest.set(name, order.get(name));
    open.push(name);
    for (const to of targets.get(name) ?? []) {
      if (!order.has(to)) visit(to);
      if (open.includes(to)) lowest.set(name, Math.min(lowest.get(name), lowest.get(to)));
    }
    if (lowest.get(name) !== order.get(name)) return;
    const members = open.splice(open.indexOf(name));
    if (members.length > 1 || (targets.get(name) ?? []).includes(name)) circles.push(members.sort());
  }

  for (const name of targets.keys()) if (!order.has(name)) visit(name);
  return circles;
}

/** The folders that a README's table names, in its order: the rows that begin with a folder. */
export const foldersInTable = (text) => [...text.matchAll(/^\| `([\w-]+)\/` \|/gm)].map(([, folder]) => folder);
