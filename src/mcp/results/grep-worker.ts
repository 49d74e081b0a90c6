import { parentPort, workerData } from 'node:worker_threads';
import { grep, type Search } from './grep.ts';

// Whoever started this thread ends it when the pattern takes too long.
const { text, search } = workerData as { readonly text: string; readonly search: Search };
parentPort?.postMessage('ready');
parentPort?.postMessage(grep(text.split('\n'), search));
