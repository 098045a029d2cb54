// A Next.js project with one route, built with `output: 'standalone'`, started where the build has put it, and asked.
import { spawn } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { runCollecting } from './run.mjs';

const BUILD_MS_MAX = 300_000;
const ANSWER_MS_MAX = 60_000;
const PORT = 39_217;

function writeProject(project, { folder, way, handler }) {
  rmSync(project, { recursive: true, force: true });
  mkdirSync(path.join(project, 'app', 'served'), { recursive: true });
  const external = way === 'external' ? "serverExternalPackages: ['ioengine'], " : '';
  const root = JSON.stringify(folder);
  const files = {
    'package.json': '{ "private": true }\n',
    'next.config.mjs': `export default {
      ${external}output: 'standalone', outputFileTracingRoot: ${root}, turbopack: { root: ${root} },
    };\n`,
    'app/layout.jsx': 'export default function Layout({ children }) { return <html><body>{children}</body></html>; }\n',
    'app/page.jsx': 'export default function Page() { return <p>page</p>; }\n',
    'app/served/route.js': handler,
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(project, name), text);
}

async function ask() {
  const end = Date.now() + ANSWER_MS_MAX;
  for (;;) {
    try {
      const response = await fetch(`http://127.0.0.1:${PORT}/served`);
      return `${await response.text()}\n`;
    } catch (error) {
      if (Date.now() > end) throw error;
      await sleep(200);
    }
  }
}

/** What the route has answered, and what the server has said of ioengine. */
export async function startNext({ folder, env, way, bundler, handler }) {
  const name = `next-${way}-${bundler}`;
  const project = path.join(folder, name);
  writeProject(project, { folder, way, handler });
  const args = ['build', ...(bundler === 'webpack' ? ['--webpack'] : [])];
  const built = await runCollecting('next', args, { cwd: project, env, timeout_ms: BUILD_MS_MAX });
  if (built.status !== 0) throw new Error(`next ${args.join(' ')} ended with ${built.status}:\n${built.output}`);
  const server = path.join(project, '.next', 'standalone', name, 'server.js');
  const serving = { ...env, PORT: String(PORT), HOSTNAME: '127.0.0.1' };
  const child = spawn('node', [server], { cwd: path.dirname(server), env: serving, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += chunk));
  try {
    const answer = await ask();
    return said.includes('IOENGINE_') || !answer.startsWith('content') ? `${answer}${said}` : answer;
  } finally {
    child.kill();
  }
}
