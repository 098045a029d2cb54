// The addon with fault points, as this process's JavaScript has it: one fault at a time, and what the engine holds.
import { constants } from 'node:os';

const KINDS = { error: 1, short: 2, delay: 3, reorder: 4, lose: 5 };

const module_ = { exports: {} };
process.dlopen(module_, process.env.IOENGINE_ADDON);
const addon = module_.exports;

export const sites = addon.faultSites();

/** `first`: which call of the site is the first to fail; `times`: how many from there on. */
export function arm({ site, kind, value, first = 1, times = 1 }) {
  const index = sites.indexOf(site);
  if (index < 0) throw new Error(`there is no site ${site}`);
  const number = typeof value === 'string' ? constants.errno[value] : value;
  addon.armFault([index, KINDS[kind], number, first, times]);
}

/** Calls of the site fail from here on, unless the fault happens to them; without a code they no longer do. */
export const failAlways = (site, code) => addon.failAlways([sites.indexOf(site), constants.errno[code] ?? 0]);

/** Counts from zero, and nothing fails. */
export const countOnly = () => addon.armFault([0, 0, 0, 1, 1]);

/** How often the fault has happened. */
export const disarm = () => addon.disarmFault();

/** How often each site has been reached, by its name; those that were not are left out. */
export const reached = () =>
  Object.fromEntries(addon.faultCounts().flatMap((count, index) => (count > 0 ? [[sites[index], count]] : [])));

/** Requests of any state, unsettled ones, those with a lane, and bytes of aligned blocks. */
export function held() {
  const [requests, unsettled, inFlight, alignedBytes] = addon.heldByEngine();
  return { requests, unsettled, inFlight, alignedBytes };
}
