import { createInterface } from 'node:readline';

// A server by hand that answers each call with what the call itself holds, as it stands: `answer` is the members of the
// message behind its id. The tool `slow` answers as it should, after the `ms` it is given.
const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);
const answered = (id, result) => say({ jsonrpc: '2.0', id, result });

const methods = {
  initialize: ({ protocolVersion }) => ({
    protocolVersion,
    capabilities: { tools: {} },
    serverInfo: { name: 'odd', version: '1' },
  }),
  ping: () => ({}),
  'tools/list': () => ({ tools: ['odd', 'slow'].map((name) => ({ name, inputSchema: { type: 'object' } })) }),
};

createInterface({ input: process.stdin })
  .on('line', (line) => {
    const { id, method, params } = JSON.parse(line);
    if (id === undefined) return;
    if (methods[method]) return answered(id, methods[method](params));
    if (method !== 'tools/call')
      return say({ jsonrpc: '2.0', id, error: { code: -32601, message: 'Method not found' } });
    const { answer, ms } = params.arguments;
    if (params.name === 'odd') return say({ jsonrpc: '2.0', id, ...answer });
    setTimeout(() => answered(id, { content: [{ type: 'text', text: 'in time' }] }), ms);
  })
  .on('close', () => process.exit(0));
