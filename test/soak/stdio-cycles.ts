import { runStdioCycles } from '../support/stdio-cycles.ts';

// npm run test:soak [-- cycles]: many lives of stdio servers, with figures; the tests run a few of them.
const report = await runStdioCycles(Number(process.argv[2] ?? 2_000));
console.log(JSON.stringify({ ...report, faults: report.faults.slice(0, 20) }, null, 2));
const { faults, zombies, serversLeft, processesAtStart, processesAtEnd } = report;
const isGood = faults.length === 0 && zombies === 0 && serversLeft === 0 && processesAtEnd === processesAtStart;
process.exitCode = isGood ? 0 : 1;
