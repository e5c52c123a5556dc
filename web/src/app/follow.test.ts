import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { follow, type Following } from './follow'

class Page extends EventTarget {
  hidden = false

  show(shown: boolean) {
    this.hidden = !shown
    this.dispatchEvent(new Event('visibilitychange'))
  }
}

let page: Page
let stop: AbortController
let over: Promise<void>
let asked: string[]
let said: [Following, string | undefined][]
let answers: ((signal: AbortSignal) => Response)[]

/** A stream that tells of one event and goes on until it is let go. */
const telling = (id: number) => (signal: AbortSignal) => {
  const body = new ReadableStream<Uint8Array>({
    start(to) {
      to.enqueue(new TextEncoder().encode(`id: ${id}\ndata: {}\n\n`))
      signal.addEventListener('abort', () => to.error(signal.reason))
    },
  })
  return new Response(body, { headers: { 'content-type': 'text/event-stream' } })
}

beforeEach(() => {
  vi.useFakeTimers()
  page = new Page()
  stop = new AbortController()
  ;[asked, said, answers] = [[], [], []]
  vi.stubGlobal('document', page)
  vi.stubGlobal('window', new EventTarget())
  vi.stubGlobal('fetch', async (path: string, { signal }: { signal: AbortSignal }) => {
    asked.push(path)
    const answer = answers.shift()
    if (!answer) throw new TypeError('nobody answers')
    return answer(signal)
  })
})
afterEach(async () => {
  stop.abort()
  await over
  vi.unstubAllGlobals()
  vi.useRealTimers()
})

function begin() {
  let last = -1
  over = follow({
    path: () => `/events?after=${last}`,
    stop: stop.signal,
    take: (_data, id) => void (last = Number(id)),
    say: (following, problem) => said.push([following, problem?.detail]),
  })
}

test('a page that nobody sees lets its stream go, and goes on after the last event when it is shown', async () => {
  answers = [telling(7), telling(8)]
  begin()
  await vi.advanceTimersByTimeAsync(100)
  expect(said).toEqual([['live', undefined]])
  page.show(false)
  await vi.advanceTimersByTimeAsync(5_000)
  page.show(true)
  await vi.advanceTimersByTimeAsync(20_000)
  expect(said.length, 'a look elsewhere changes nothing').toBe(1)
  page.show(false)
  await vi.advanceTimersByTimeAsync(60_000)
  expect(said.at(-1)).toEqual(['connecting', undefined])
  expect(asked).toEqual(['/events?after=-1'])
  page.show(true)
  await vi.advanceTimersByTimeAsync(100)
  expect(asked).toEqual(['/events?after=-1', '/events?after=7'])
  expect(said.at(-1)).toEqual(['live', undefined])
})

test('what the server says when it refuses a stream is told, and it is asked again', async () => {
  const detail = '20 event streams are open already: close one first'
  answers = [() => new Response(JSON.stringify({ title: 'Too many', detail }), { status: 429 }), telling(1)]
  begin()
  await vi.advanceTimersByTimeAsync(100)
  expect(said).toEqual([['away', detail]])
  await vi.advanceTimersByTimeAsync(1_000)
  expect(said.at(-1)).toEqual(['live', undefined])
})

test('a server that says nothing for long is away', async () => {
  answers = [telling(1)]
  begin()
  await vi.advanceTimersByTimeAsync(39_000)
  expect(said).toEqual([['live', undefined]])
  await vi.advanceTimersByTimeAsync(2_000)
  expect(said.at(-1)).toEqual(['away', undefined])
})
