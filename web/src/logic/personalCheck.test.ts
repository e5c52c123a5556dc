import { beforeAll, expect, test } from 'vitest'
import { hex, joined, sha256, unhex, utf8 } from './bytes'
import { noting, type Check } from './checkpointCheck'
import { personalCheck, type Beside } from './personalCheck'

const SALT = 'ab'.repeat(32)
const BODY = '{"display_name":"Ada","ip_address":"192.0.2.1"}'
const GOOD = { salt: SALT, body: BODY }
const SHOWN = { actor: { id: 'act_1', display_name: 'Ada' }, ip_address: '192.0.2.1' }
let personal: string

beforeAll(async () => {
  personal = hex(await sha256(joined(unhex(SALT) ?? new Uint8Array(), utf8(BODY))))
})

async function verdict(event: unknown, beside: Beside | null | undefined): Promise<Check['verdict'] | undefined> {
  const { checks, say } = noting()
  await personalCheck(event, beside, say)
  return checks[0]?.verdict
}

test('what is shown is what was signed', async () => {
  expect(await verdict({ ...SHOWN, personal }, GOOD)).toBe('yes')
})

test.each([
  ['another name', { actor: { id: 'act_1', display_name: 'Eve' } }, {}],
  ['no name', { actor: { id: 'act_1' } }, {}],
  ['another address', { ip_address: '192.0.2.2' }, {}],
  ['a program nobody named', { user_agent: 'curl' }, {}],
  ['another body', {}, { body: BODY.replace('Ada', 'Eve') }],
  ['another salt', {}, { salt: 'ac'.repeat(32) }],
  ['a salt that is cut', {}, { salt: SALT.slice(2) }],
  ['a salt that is none', {}, { salt: 'x' }],
  ['a salt that is longer', {}, { salt: `${SALT}7b`, body: BODY.slice(1) }],
])('%s is refused', async (_, change, beside) => {
  expect(await verdict({ ...SHOWN, personal, ...change }, { ...GOOD, ...beside })).toBe('no')
})

test('a body that would say more than these three is refused, signed or not', async () => {
  for (const body of ['{"action":"x"}', '[]', '"Ada"', 'Ada']) {
    const signed = hex(await sha256(joined(unhex(SALT) ?? new Uint8Array(), utf8(body))))
    expect(await verdict({ actor: { id: 'act_1' }, personal: signed }, { salt: SALT, body }), body).toBe('no')
  }
})

test('once they are erased nobody can tell, and a name without what opens its hash is refused', async () => {
  for (const beside of [null, undefined]) {
    expect(await verdict({ actor: { id: 'act_1' }, personal }, beside)).toBe('open')
    expect(await verdict({ ...SHOWN, personal }, beside)).toBe('no')
  }
  expect(await verdict({ actor: { id: 'act_1' }, personal }, GOOD), 'hidden, though it is there').toBe('no')
})

test('of what a service did all was signed, and there is nothing to say', async () => {
  for (const event of [SHOWN, 'no JSON', 7, null]) expect(await verdict(event, GOOD)).toBeUndefined()
})
