// Runs ONNX files through ONNX Runtime on the CPU. Setup: npm install --ignore-scripts
//
//   node run.mjs jobs.json
//
// jobs.json is a list of jobs:
//   {"model": "net.onnx", "input": "x.f32", "shape": [2, 3, 32, 32], "output": "y.f32", "optimize": false}
// Files hold raw little-endian 32-bit floats, last dimension fastest. The model has one input and one output. "optimize"
// (default true) lets ONNX Runtime fuse nodes. Prints one JSON line per job: {"model": ..., "shape": [2, 10]}. Exits with
// 1 and a sentence on stderr that names the model if a job fails.

import { readFileSync, writeFileSync } from 'node:fs';
import ort from 'onnxruntime-node';

const floats = (path) => {
  const bytes = readFileSync(path);
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
};

const run = async ({ model, input, shape, output, optimize = true }) => {
  const session = await ort.InferenceSession.create(model, {
    executionProviders: ['cpu'],
    graphOptimizationLevel: optimize ? 'all' : 'disabled',
    intraOpNumThreads: 1,
  });
  const [inputName] = session.inputNames;
  const [outputName] = session.outputNames;
  const results = await session.run({ [inputName]: new ort.Tensor('float32', floats(input), shape) });
  const { data, dims } = results[outputName];
  writeFileSync(output, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  await session.release();
  return { model, shape: dims };
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
