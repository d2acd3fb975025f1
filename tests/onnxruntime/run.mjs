// Runs ONNX files through ONNX Runtime on the CPU. Setup: npm install --ignore-scripts
//
//   node run.mjs jobs.json
//
// jobs.json is a list of jobs:
//   {"model": "net.onnx", "input": "x.f32", "shapes": [[2, 3, 32, 32]], "output": "y.f32", "optimize": false}
// Files hold raw little-endian 32-bit floats, last dimension fastest: the inputs in the model's order, each of its shape,
// one after the other, and so the outputs. "optimize" (default true) lets ONNX Runtime fuse nodes; what it makes of them is
// written to "optimized" if that is a path. Prints one JSON line per job: {"model": ..., "shapes": [[2, 10]]}. Exits with 1
// and a sentence on stderr that names the model if a job fails.

import { readFileSync, writeFileSync } from 'node:fs';
import ort from 'onnxruntime-node';

const floats = (path) => {
  const bytes = readFileSync(path);
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
};

const run = async ({ model, input, shapes, output, optimize = true, optimized }) => {
  const session = await ort.InferenceSession.create(model, {
    executionProviders: ['cpu'],
    graphOptimizationLevel: optimize ? 'all' : 'disabled',
    intraOpNumThreads: 1,
    logSeverityLevel: 3, // errors
    ...(optimized && { optimizedModelFilePath: optimized }),
    extra: { session: { x64quantprecision: '1' } }, // exact products of 8 bits where the CPU has no VNNI
  });
  const values = floats(input);
  const feeds = {};
  let begin = 0;
  session.inputNames.forEach((name, i) => {
    const size = shapes[i].reduce((product, n) => product * n, 1);
    feeds[name] = new ort.Tensor('float32', values.slice(begin, begin + size), shapes[i]);
    begin += size;
  });
  const results = await session.run(feeds);
  const made = session.outputNames.map((name) => results[name]);
  writeFileSync(output, Buffer.concat(made.map(({ data }) => Buffer.from(data.buffer, data.byteOffset, data.byteLength))));
  await session.release();
  return { model, shapes: made.map(({ dims }) => dims) };
};

const [path] = process.argv.slice(2);
if (path === undefined) {
  console.error('usage: node run.mjs jobs.json');
  process.exit(2);
}
for (const job of JSON.parse(readFileSync(path, 'utf8'))) {
  try {
    console.log(JSON.stringify(await run(job)));
  } catch (error) {
    console.error(`'${job.model}': ${error.message}`);
    process.exit(1);
  }
}
