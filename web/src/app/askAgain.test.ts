import { QueryClient, QueryObserver } from '@tanstack/react-query'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { AskAgain } from './askAgain'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const KEY = ['/api/v1/findings', null]

/** A list that takes this long to come, and says when it was asked for. */
async function shown(took: number) {
  const queries = new QueryClient({ defaultOptions: { queries: { staleTime: Infinity } } })
  const begun: number[] = []
  const observer = new QueryObserver(queries, {
    queryKey: KEY,
    queryFn: async ({ signal }) => {
      const at = Date.now()
      begun.push(at)
      await new Promise((resolve, reject) => {
        setTimeout(resolve, took)
        signal.addEventListener('abort', reject)
      })
      return at
    },
  })
  const leave = observer.subscribe(() => {})
  const again = new AskAgain(queries)
  again.start()
  await vi.advanceTimersByTimeAsync(took)
  const end = () => {
    again.stop()
    leave()
  }
  return { queries, observer, again, begun, end }
}

test('a slow list is refreshed however often it changes, and the last change is not lost', async () => {
  const { observer, again, begun, end } = await shown(1_000)
  const first = observer.getCurrentResult().data
  let last = 0
  for (let change = 0; change < 100; change += 1) {
    last = Date.now()
    again.changed(() => true)
    await vi.advanceTimersByTimeAsync(100)
  }
  expect(observer.getCurrentResult().data).toBeGreaterThan(first ?? 0)
  expect(begun.length).toBeLessThan(9)
  await vi.advanceTimersByTimeAsync(10_000)
  expect(observer.getCurrentResult().data).toBeGreaterThanOrEqual(last)
  const asked = begun.length
  await vi.advanceTimersByTimeAsync(60_000)
  expect(begun.length).toBe(asked)
  end()
})

test('what nobody looks at is marked and not asked for', async () => {
  const { queries, again, begun, end } = await shown(10)
  queries.setQueryData(['/api/v1/plans', null], 1)
  again.changed(([path]) => path === '/api/v1/plans')
  expect(queries.getQueryState(['/api/v1/plans', null])?.isInvalidated).toBe(true)
  expect(begun.length).toBe(1)
  end()
})
