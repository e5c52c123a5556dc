import { expect, test } from 'vitest'
import { whyNotSettle } from './settling'

const ada = { actor_id: 'ada', type: 'user', may: true }

test.each([
  ['anybody who runs executions, of a step that may run twice', ada, 'ada', 'idempotent', true],
  ['nobody without the permission', { ...ada, may: false }, 'bob', 'read', false],
  ['not who asked for it, of a step that runs once', ada, 'ada', 'at_most_once', false],
  ['somebody else, of a step that runs once', ada, 'bob', 'at_most_once', true],
  ['no service, of a step that runs once', { ...ada, type: 'service' }, 'bob', 'at_most_once', false],
  ['whom the server lets, of a step nobody knows here', ada, 'ada', undefined, true],
])('%s', (_, settler, asked, semantics, may) => {
  expect(whyNotSettle(settler, { initiated_by: asked }, semantics) === undefined).toBe(may)
})
