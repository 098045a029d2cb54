// What a bundle has in the place of the package: a way to the one that is installed where the bundle runs. The native
// addon cannot be in a bundle, nor can there be more than one engine in a thread. Entry points come here where they
// find that a bundler has taken them in; bundlers that know the `module` condition take in nothing else
// (scripts/lib/bundle.mjs, docs/bundlers.md).
//
// This file uses nothing but node:module, and that without an import: a bundle that is an ES module has no require.

type NodeModule = typeof import('node:module');

const nodeModule = (): NodeModule => process.getBuiltinModule?.('node:module') ?? require('node:module');

/** The file whose code runs this, whatever a bundler has made of `__filename` and `import.meta`. */
function runningFile(): string | undefined {
  const { prepareStackTrace } = Error;
  try {
    Error.prepareStackTrace = (_error, sites) => sites;
    const [site] = new Error().stack as unknown as NodeJS.CallSite[];
    return site?.getFileName() ?? undefined;
  } catch {
    // Frozen intrinsics, or a stack trace that somebody else makes.
    return undefined;
  } finally {
    Error.prepareStackTrace = prepareStackTrace;
  }
}

/** What CommonJS calls it. Not asked for with typeof: webpack answers that at build, and wrongly for ES modules. */
function namedFile(): string | undefined {
  try {
    return __filename;
  } catch {
    return undefined;
  }
}

/** Where the bundle may be, as files or URLs: in CommonJS, in an ES module, in a text that the bundle evaluates. */
function places(): string[] {
  return [...new Set([namedFile(), runningFile(), process.argv[1]])].filter((place) => place !== undefined);
}

const notInstalled = (bundle: string): Error =>
  Object.assign(
    new Error(
      `ioengine is in the bundle ${bundle}, which cannot hold its native addon, and no installed ioengine was found ` +
        "from there. Fix: install ioengine where the bundle runs, and keep it out of the bundle: external: ['ioengine'] " +
        '(docs/bundlers.md has the words of each bundler)',
    ),
    { code: 'ERR_IOENGINE_BUNDLED' },
  );

/** What a file of dist/ exports, in the package that Node finds from the place of the bundle. */
export function installed(file: string): unknown {
  const bundles = places();
  for (const place of bundles) {
    let manifest: string;
    let requireFrom: NodeJS.Require;
    try {
      requireFrom = nodeModule().createRequire(place);
      manifest = requireFrom.resolve('ioengine/package.json');
    } catch {
      continue;
    }
    return requireFrom(manifest.replace(/package\.json$/, `dist/${file}`));
  }
  throw notInstalled(bundles[0]?.replace('file://', '') ?? 'that runs');
}
