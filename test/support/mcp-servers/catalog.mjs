import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { CallToolRequestSchema, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js';

// A server with a large catalog, one process for each of: crm, billing, mail. Fifty tools, most of which nobody needs.

const COUNT = 50;
const CUSTOMERS = [
  { id: 'c1', name: 'Ada', country: 'GB' },
  { id: 'c2', name: 'Grace', country: 'US' },
  { id: 'c3', name: 'Alan', country: 'GB' },
];
const OPEN = { c1: 120, c2: 80, c3: 30 };
const deleted = [];

const schema = (properties, required) => ({ type: 'object', properties, required });
const text = (description) => ({ type: 'string', description });

const KINDS = {
  crm: {
    list_customers: {
      description: 'Lists customers. Filter by country where you can.',
      inputSchema: schema({ country: text('ISO code') }, []),
      outputSchema: schema({ customers: { type: 'array', items: { type: 'object' } } }, ['customers']),
      run: ({ country }) => ({
        structuredContent: { customers: CUSTOMERS.filter((each) => !country || each.country === country) },
      }),
    },
    'delete-customer': {
      description: 'Deletes a customer for good.',
      inputSchema: schema({ id: text('The id of the customer') }, ['id']),
      run: ({ id }) => {
        deleted.push(id);
        return { content: [{ type: 'text', text: JSON.stringify({ deleted }) }] };
      },
    },
  },
  billing: {
    open_amount: {
      description: 'The open amount of one customer in GBP.',
      inputSchema: schema({ customer: text('The id of the customer'), currency: { enum: ['GBP', 'EUR'] } }, [
        'customer',
      ]),
      run: ({ customer }) => ({ content: [{ type: 'text', text: String(OPEN[customer] ?? 0) }] }),
    },
    hang: { description: 'Never ends.', inputSchema: schema({}, []), run: () => new Promise(() => {}) },
  },
  mail: {
    send_reminder: {
      description: 'Sends a reminder to a customer about an unpaid invoice.',
      inputSchema: schema({ to: text('Name'), amount: { type: 'number' } }, ['to', 'amount']),
      run: ({ to, amount }) => ({ content: [{ type: 'text', text: `sent to ${to}: ${amount}` }] }),
    },
  },
};

const kind = process.argv[2];
const tools = new Map(Object.entries(KINDS[kind]));
for (let number = tools.size + 1; number <= COUNT; number++) {
  tools.set(`${kind}_report_${String(number).padStart(2, '0')}`, {
    description: `Report number ${number} of ${kind}. It has many columns.`,
    inputSchema: schema({ month: text('Year and month') }, ['month']),
    run: () => ({ content: [{ type: 'text', text: 'empty' }] }),
  });
}

const server = new Server({ name: kind, version: '1.0.0' }, { capabilities: { tools: {} } });
server.setRequestHandler(ListToolsRequestSchema, () => ({
  tools: [...tools].map(([name, { run: _, ...definition }]) => ({ name, ...definition })),
}));
server.setRequestHandler(CallToolRequestSchema, async ({ params }) => {
  const result = await tools.get(params.name).run(params.arguments ?? {});
  return { content: [{ type: 'text', text: JSON.stringify(result.structuredContent) ?? '' }], ...result };
});
process.stdin.on('end', () => process.exit(0));
await server.connect(new StdioServerTransport());
