import { expect, test } from 'vitest';
import { shownObject } from '../../../src/http/admin/redact.ts';

test('of what people choose themselves not even the ends are shown, and of what is long and random only those', () => {
  const config = {
    encryption_key: { value: 'hunter2222' },
    auth_config: { admin_username: 'ada', admin_password: 'correct horse' },
    proxy_config: { password: { value: 'opensesame' }, passphrase: '' },
    keys: [{ name: 'main', value: { value: 'sk-proj-0123456789' } }],
  };
  expect(shownObject(config)).toEqual({
    encryption_key: '*'.repeat(24),
    auth_config: { admin_username: 'ada', admin_password: '*'.repeat(24) },
    proxy_config: { password: '*'.repeat(24), passphrase: '' },
    keys: [{ name: 'main', value: `sk-p${'*'.repeat(24)}6789` }],
  });
});

test('what stands in the environment is shown by its name', () => {
  const config = {
    encryption_key: { value: 'hunter2222', ref: 'env.KEY' },
    auth_config: { admin_password: 'env.PASSWORD' },
  };
  expect(shownObject(config)).toEqual({ encryption_key: 'env.KEY', auth_config: { admin_password: 'env.PASSWORD' } });
});
