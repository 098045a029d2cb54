// The bundlers that the suite has, each as a function that makes one file of a program, with no setting that ioengine
// would need. The others are in scripts/test-bundlers.mjs.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import commonjs from '@rollup/plugin-commonjs';
import nodeResolve from '@rollup/plugin-node-resolve';
import * as esbuild from 'esbuild';
import { rollup } from 'rollup';

const webpackBundle = fileURLToPath(new URL('webpack-bundle.mjs', import.meta.url));

/** `conditions`: where they are named, esbuild does not look for `module`. */
async function withEsbuild({ entry, output, format, external = [], conditions }) {
  const platform = 'node';
  const { warnings } = await esbuild.build({
    entryPoints: [entry],
    outfile: output,
    bundle: true,
    platform,
    format,
    external,
    conditions,
    logLevel: 'silent',
  });
  return warnings.map(({ text }) => text);
}

async function withRollup({ entry, output, format, external = [] }) {
  const warnings = [];
  const isExternal = (name) => name.startsWith('node:') || external.some((one) => `${name}/`.startsWith(`${one}/`));
  const onwarn = ({ message }) => warnings.push(message);
  const made = await rollup({ input: entry, plugins: [nodeResolve(), commonjs()], external: isExternal, onwarn });
  await made.write({ file: output, format });
  await made.close();
  return warnings;
}

/** `conditions`: in place of webpack's own, which have `module`. */
async function withWebpack(program) {
  const { stdout } = await promisify(execFile)(process.execPath, [webpackBundle, JSON.stringify(program)]);
  return JSON.parse(stdout);
}

const custom = { conditions: ['custom'] };

/** Each: what it says at build, which has to be nothing. */
export const bundlers = {
  esbuild: withEsbuild,
  'esbuild without the condition module': (program) => withEsbuild({ ...program, ...custom }),
  rollup: withRollup,
  webpack: withWebpack,
  'webpack without the condition module': (program) => withWebpack({ ...program, ...custom }),
};
