// A client of the inspector protocol, for the main thread of a process and its Workers: Runtime and NodeWorker of
// https://chromedevtools.github.io/devtools-protocol/ and Node.js' own protocol.

import { get } from 'node:http';

interface Message {
  id?: number;
  method?: string;
  params?: Record<string, unknown>;
  result?: Record<string, unknown>;
  error?: { message: string };
}

type Waiting = { resolve(result: Record<string, unknown>): void; reject(error: Error): void };

/** What a thread is asked through: commands and their results, and what it tells by itself. */
export class Session {
  #last = 0;
  readonly #waiting = new Map<number, Waiting>();

  constructor(
    private readonly transmit: (text: string) => void,
    private readonly onEvent: (method: string, params: Record<string, unknown>) => void = () => {},
  ) {}

  send(method: string, params: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.transmit(JSON.stringify({ id, method, params }));
    });
  }

  receive(text: string): void {
    const { id, method, params, result, error } = JSON.parse(text) as Message;
    if (id === undefined) {
      this.onEvent(method!, params ?? {});
      return;
    }
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error !== undefined) waiting?.reject(new Error(error.message));
    else waiting?.resolve(result ?? {});
  }

  /** The thread has ended: nothing more comes. */
  end(): void {
    for (const { reject } of this.#waiting.values()) reject(new Error('the thread has ended'));
    this.#waiting.clear();
  }

  /** Runs an expression there; the id of the object that it gives, if it gives one. */
  async evaluate(expression: string): Promise<string | undefined> {
    const { result, exceptionDetails } = await this.send('Runtime.evaluate', {
      expression,
      includeCommandLineAPI: true,
      silent: true,
    });
    if (exceptionDetails !== undefined) throw new Error((result as { description?: string }).description ?? 'thrown');
    return (result as { objectId?: string }).objectId;
  }

  /** Calls a method of an object there; what it returns, as JSON has it. */
  async call(objectId: string, method: string): Promise<unknown> {
    const { result, exceptionDetails } = await this.send('Runtime.callFunctionOn', {
      objectId,
      functionDeclaration: `function () { return this${method}; }`,
      returnByValue: true,
      silent: true,
    });
    if (exceptionDetails !== undefined) throw new Error((result as { description?: string }).description ?? 'thrown');
    return (result as { value?: unknown }).value;
  }
}

/** The address to connect to, as the inspector tells it. */
function addressAt(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get({ host: '127.0.0.1', port, path: '/json/list' }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.on('error', reject).on('end', () => {
        try {
          resolve((JSON.parse(text) as { webSocketDebuggerUrl: string }[])[0]!.webSocketDebuggerUrl);
        } catch {
          reject(new Error(`port ${port} is no inspector's`));
        }
      });
    });
    request.on('error', reject);
  });
}

export interface Connection {
  main: Session;
  close(): void;
}

/**
 * Connects to the inspector. `onWorker` is called for each Worker, those that run and those that come; `onEnd` when the
 * process is about to end, which it does not before `close`, and when it has ended.
 */
export async function connectInspector(
  port: number,
  onWorker: (session: Session) => void,
  onEnd: () => void,
): Promise<Connection> {
  const socket = new WebSocket(await addressAt(port));
  const workers = new Map<string, Session>();
  const main = new Session(
    (text) => socket.send(text),
    (method, params) => {
      const sessionId = params.sessionId as string;
      if (method === 'NodeWorker.attachedToWorker') {
        const session = new Session((message) => {
          // A Worker that has ended takes no message; its session ends by the event.
          main.send('NodeWorker.sendMessageToWorker', { sessionId, message }).catch(() => {});
        });
        workers.set(sessionId, session);
        onWorker(session);
      } else if (method === 'NodeWorker.receivedMessageFromWorker') {
        workers.get(sessionId)?.receive(params.message as string);
      } else if (method === 'NodeWorker.detachedFromWorker') {
        workers.get(sessionId)?.end();
        workers.delete(sessionId);
      } else if (method === 'NodeRuntime.waitingForDisconnect') {
        onEnd();
      }
    },
  );
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener('open', () => resolve());
    socket.addEventListener('error', () => reject(new Error(`the inspector at port ${port} takes no connection`)));
  });
  socket.addEventListener('message', ({ data }) => main.receive(data as string));
  socket.addEventListener('close', () => {
    main.end();
    for (const session of workers.values()) session.end();
    onEnd();
  });
  await main.send('NodeRuntime.notifyWhenWaitingForDisconnect', { enabled: true });
  return { main, close: () => socket.close() };
}
