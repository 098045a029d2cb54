// A module like the engine's with a fault of its own, which the loop over the n-th fault has to find.
import nodeFs from 'node:fs';

const sometimes = (every) => {
  let calls = 0;
  return () => ++calls % every === 0;
};

const BROKEN = {
  'a wrong byte': ({ promises }) => {
    const due = sometimes(5);
    return {
      async readFile(...args) {
        const bytes = await promises.readFile(...args);
        if (due()) bytes[bytes.length >> 1] ^= 1;
        return bytes;
      },
    };
  },
  'an error that is swallowed': ({ promises }) => ({
    writeFile: (...args) => promises.writeFile(...args).catch(() => undefined),
  }),
  'an error of its own': ({ promises }) => ({
    stat: (...args) =>
      promises.stat(...args).catch(() => {
        throw new Error('it did not work');
      }),
  }),
  'a descriptor that is left': ({ promises }) => {
    const due = sometimes(5);
    return {
      mkdir(...args) {
        if (due()) nodeFs.openSync('/dev/null');
        return promises.mkdir(...args);
      },
    };
  },
  'a promise that does not settle': ({ promises }) => {
    const due = sometimes(5);
    return { readlink: (...args) => (due() ? new Promise(() => {}) : promises.readlink(...args)) };
  },
};

/** The names of what can be broken. */
export const waysToBreak = Object.keys(BROKEN);

export function brokenFs(fs, way) {
  const promises = { ...fs.promises, ...BROKEN[way](fs) };
  return new Proxy(fs, { get: (target, name) => (name === 'promises' ? promises : target[name]) });
}
