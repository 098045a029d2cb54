// The bundlers that the suite has, each as a function that makes one file of a program, with no setting that ioengine
// would need. The others are in scripts/test-bundlers.mjs.
import path from 'node:path';
import { promisify } from 'node:util';
import commonjs from '@rollup/plugin-commonjs';
import nodeResolve from '@rollup/plugin-node-resolve';
import * as esbuild from 'esbuild';
import { rollup } from 'rollup';
import webpack from 'webpack';

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
async function withWebpack({ entry, output, format, external = [], conditions }) {
  const isModule = format === 'esm';
  const library = { type: isModule ? 'module' : 'commonjs2' };
  const externals = external.map((name) => new RegExp(`^${name}(/|$)`));
  const done = await promisify(webpack)({
    target: 'node20',
    mode: 'development',
    devtool: false,
    context: path.dirname(entry),
    entry,
    externals,
    externalsType: isModule ? 'module' : 'commonjs',
    resolve: conditions && { conditionNames: [...conditions, 'node', isModule ? 'import' : 'require'] },
    experiments: { outputModule: isModule },
    output: { path: path.dirname(output), filename: path.basename(output), module: isModule, library },
  });
  const { errors, warnings } = done.toJson({ all: false, errors: true, warnings: true });
  return [...errors, ...warnings].map(({ message }) => message);
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
