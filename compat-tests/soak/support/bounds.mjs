// What a process has, once a second: it may vary, and must not grow.
import { processFacts } from '../../helpers/child.mjs';

const WARM_UP_SAMPLES = 30;
/** Of resident memory between the first and the last third of a run: heaps, and arenas of threads that come and go. */
const GROWTH_BYTES = 96 * 1024 * 1024;
const THREADS_MAX = 160;
/**
 * Of the engine, libuv and the socket when all Workers have ended. A Worker that ends leaves the files open that it has
 * opened by number, also for its streams, so there is room for some.
 */
const OWN_DESCRIPTORS_MAX = 80;
const OWN_THREADS_MAX = 48;

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

export class Bounds {
  #samples = [];
  #stats;
  #folder;
  #start;

  constructor(stats, folder) {
    this.#stats = stats;
    this.#folder = folder;
    this.#start = processFacts();
  }

  sample() {
    const { tasks, descriptors, rssBytes } = processFacts();
    this.#samples.push({ tasks, descriptors: Object.keys(descriptors).length, rssBytes });
  }

  #ofEnds(name) {
    const warm = this.#samples.slice(WARM_UP_SAMPLES).map((sample) => sample[name]);
    const third = Math.floor(warm.length / 3);
    return third < 10 ? undefined : { first: median(warm.slice(0, third)), last: median(warm.slice(-third)) };
  }

  /** What grew, and what is left once everything has ended. */
  async faults() {
    const faults = [];
    const memory = this.#ofEnds('rssBytes');
    if (memory && memory.last - memory.first > GROWTH_BYTES) {
      faults.push(`memory grew from ${memory.first} to ${memory.last} bytes`);
    }
    const most = Math.max(...this.#samples.map(({ tasks }) => tasks));
    if (most > THREADS_MAX) faults.push(`${most} threads`);
    for (let i = 0; i < 50 && !this.#isIdle(); i++) await new Promise((resolve) => setTimeout(resolve, 100));
    const { inFlight, queued } = this.#stats();
    if (inFlight + queued > 0) faults.push(`${inFlight} in flight and ${queued} queued at the end`);
    const { tasks, descriptors } = processFacts();
    const more = Object.keys(descriptors).length - Object.keys(this.#start.descriptors).length;
    if (more > OWN_DESCRIPTORS_MAX) faults.push(`${more} descriptors more than at the start`);
    if (tasks - this.#start.tasks > OWN_THREADS_MAX) faults.push(`${tasks} threads at the end`);
    const left = Object.values(processFacts().descriptors).filter((name) => name.startsWith(this.#folder));
    if (left.length > 0) faults.push(`descriptors left: ${left.slice(0, 5)}`);
    return faults;
  }

  #isIdle() {
    const { inFlight, queued } = this.#stats();
    const names = Object.values(processFacts().descriptors);
    return inFlight + queued === 0 && !names.some((name) => name.startsWith(this.#folder));
  }

  summary() {
    const mib = (bytes) => bytes && Math.round(bytes / 1024 / 1024);
    const memory = this.#ofEnds('rssBytes');
    const most = (name) => Math.max(...this.#samples.map((sample) => sample[name]));
    return {
      samples: this.#samples.length,
      memoryMiB: { start: mib(this.#start.rssBytes), first: mib(memory?.first), last: mib(memory?.last) },
      threadsMost: most('tasks'),
      descriptorsMost: most('descriptors'),
    };
  }
}
