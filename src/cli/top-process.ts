// `ioengine top PID`: what the engine does in a process that runs. Such a process keeps nothing ready for it: the
// inspector, which every Node.js process opens on SIGUSR1, lets this in, and is closed again.

import { connectInspector, type Session } from './inspector-client';
import { inspectorPort } from './inspector-port';
import { Screen } from './screen';
import { attach } from './top-attach';
import type { Hello, Sample } from './top-protocol';
import { View } from './top-view';

const ATTACH = `(${attach.toString()})(typeof require === 'function' ? require : undefined)`;
/** Behind the answer, which the inspector still has to send. */
const CLOSE_INSPECTOR = 'void setTimeout(() => process._debugEnd(), 20).unref()';

export interface Looks {
  milliseconds: number;
  /** How often to look; Infinity is until the end. */
  count: number;
  json: boolean;
}

/** One thread that is watched. */
class Watched {
  private constructor(
    private readonly session: Session,
    private readonly id: string,
  ) {}

  /** Undefined for a thread that has not loaded ioengine. */
  static async over(session: Session, hear: (thread: object, message: Hello) => void): Promise<Watched | undefined> {
    const id = await session.evaluate(ATTACH);
    if (id === undefined) return undefined;
    const watched = new Watched(session, id);
    hear(watched, (await session.call(id, '.hello')) as Hello);
    return watched;
  }

  sample = async (): Promise<Sample> => (await this.session.call(this.id, '.sample()')) as Sample;
  detach = (): Promise<unknown> => this.session.call(this.id, '.detach()');
}

class Watch {
  readonly #view: View;
  readonly #screen = new Screen(process.stdout, true);
  readonly #candidates = new Set<Session>();
  readonly #threads = new Set<Watched>();
  #ended = false;
  #wake: () => void = () => {};

  constructor(
    private readonly pid: number,
    private readonly looks: Looks,
  ) {
    this.#view = new View(looks.milliseconds / 1000);
  }

  readonly end = (): void => {
    this.#ended = true;
    this.#wake();
  };

  readonly #hear = (thread: object, message: Hello | Sample): void => {
    this.#view.hear(thread, message);
    if (this.looks.json) process.stdout.write(`${JSON.stringify(message)}\n`);
  };

  /** A Worker that has just started loads ioengine later, or has ended before it answers. */
  readonly add = (session: Session): void => {
    this.#candidates.add(session);
  };

  async #attachTo(session: Session): Promise<void> {
    try {
      const thread = await Watched.over(session, this.#hear);
      if (thread === undefined) return;
      this.#threads.add(thread);
    } catch {
      // It has ended.
    }
    this.#candidates.delete(session);
  }

  async #sampleAll(): Promise<void> {
    await Promise.all([...this.#candidates].map((session) => this.#attachTo(session)));
    await Promise.all(
      [...this.#threads].map(async (thread) => {
        try {
          this.#hear(thread, await thread.sample());
        } catch {
          this.#threads.delete(thread);
          this.#view.lose(thread);
        }
      }),
    );
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.looks.milliseconds);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
      if (this.#ended) this.#wake();
    });
  }

  async run(): Promise<void> {
    // The first look is what the others are compared with.
    await this.#sampleAll();
    if (this.#threads.size === 0 && !this.#ended) {
      throw new Error(`no thread of process ${this.pid} has loaded ioengine: start it with --import ioengine/register`);
    }
    for (let look = 0; look < this.looks.count && !this.#ended; look++) {
      await this.#pause();
      // Of a process that is about to end too: it waits for those who watch.
      await this.#sampleAll();
      if (!this.looks.json) this.#screen.show(this.#view.lines());
    }
  }

  async leave(): Promise<void> {
    await Promise.allSettled([...this.#threads].map((thread) => thread.detach()));
  }

  tellTotals(): void {
    const text = this.looks.json
      ? JSON.stringify({ kind: 'totals', ...this.#view.totals() })
      : this.#view.totalLines().join('\n');
    process.stdout.write(`${text}\n`);
  }
}

/** Watches until the process ends, SIGINT or SIGTERM comes, or the looks are used up. */
export async function watchProcess(pid: number, looks: Looks): Promise<void> {
  const { port, opened } = await inspectorPort(pid);
  const watch = new Watch(pid, looks);
  const { main, close } = await connectInspector(port, watch.add, watch.end);
  process.on('SIGINT', watch.end).on('SIGTERM', watch.end);
  try {
    watch.add(main);
    await main.send('NodeWorker.enable', { waitForDebuggerOnStart: false });
    await watch.run();
    watch.tellTotals();
  } finally {
    process.off('SIGINT', watch.end).off('SIGTERM', watch.end);
    await watch.leave();
    if (opened) await main.evaluate(CLOSE_INSPECTOR).catch(() => {});
    close();
  }
}
