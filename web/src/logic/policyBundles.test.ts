import { expect, test } from 'vitest'
import { bundlesOf } from './policyBundles'

const bundle = (id: string, version: number, active_from: string | null) => ({
  id, name: 'own', version, hash: `hash of ${id}`, active_from, created_at: '2026-03-01T10:00:00Z',
})

const deciding = (all: ReturnType<typeof bundlesOf>) => all.filter((one) => one.decides).map((one) => one.id)

test('where nothing was activated the one that ships decides', () => {
  const all = bundlesOf([bundle('pol_1', 1, null)], { hash: 'ab', decides: true })
  expect(all.map((one) => one.title)).toEqual(['own 1', 'the one that ships'])
  expect(deciding(all)).toEqual(['shipped'])
  expect(all[1]?.own).toBeUndefined()
})

test('the bundle that was activated last decides, whatever its version', () => {
  const all = bundlesOf([
    bundle('pol_3', 3, null), bundle('pol_2', 2, '2026-03-02T10:00:00Z'), bundle('pol_1', 1, '2026-03-03T10:00:00Z'),
  ], { hash: 'ab', decides: false })
  expect(deciding(all)).toEqual(['pol_1'])
})

test('of two answers of different moments one bundle decides', () => {
  expect(deciding(bundlesOf([bundle('pol_1', 1, '2026-03-03T10:00:00Z')], { hash: 'ab', decides: true })))
    .toEqual(['pol_1'])
  expect(deciding(bundlesOf([], undefined))).toEqual([])
})
