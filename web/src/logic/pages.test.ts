import { expect, test } from 'vitest'
import { leading, pageOf } from './pages'

test('what has no page is not offered, and what has one keeps it', () => {
  const item = (id: string) => ({ id, title: id })
  const found = ['finding', 'service', 'environment', 'intent', 'recommendation', 'provider_policy']
    .map((kind) => ({ kind, items: [item(`${kind}-1`)], more: kind === 'finding' }))
  expect(leading(found)).toEqual([
    { kind: 'finding', items: [{ id: 'finding-1', title: 'finding-1', to: '/findings/finding-1' }], more: true },
    {
      kind: 'environment', more: false,
      items: [{ id: 'environment-1', title: 'environment-1', to: '/estate?environment=environment-1' }],
    },
  ])
})

test('a type nobody knows has no page', () => {
  expect(pageOf('unheard', 'x')).toBeUndefined()
})
