import { expect, test } from 'vitest'
import { Problem } from '../../api/problem'
import { unlessThere } from './there'

test('what is there already is made', async () => {
  await unlessThere(Promise.resolve({}))
  await unlessThere(Promise.reject(new Problem(409, { code: 'already_there' })))
})

test.each([
  new Problem(409, { code: 'idempotency_running' }), new Problem(422, { code: 'already_there' }), new Error('x'),
])('%o is a failure', async (error) => {
  await expect(unlessThere(Promise.reject(error))).rejects.toBe(error)
})
