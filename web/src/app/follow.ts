import { EventSourceParserStream } from 'eventsource-parser/stream'
import { signedOut } from '../api/client'
import { asProblem, Problem } from '../api/problem'

/** How a stream stands. */
export type Following = 'connecting' | 'live' | 'away'

const FIRST_WAIT_MS = 500
const LONGEST_WAIT_MS = 15_000
/** The server says something at least every 15 s; without a word for this long it is away. */
const SILENT_MS = 40_000
/** A page that nobody sees for this long lets its stream go: browsers keep few connections to a host. */
const HIDDEN_MS = 10_000

interface Follow {
  /** The path of the stream, from where it is to go on; asked for before each try. */
  path: () => string
  stop: AbortSignal
  /** The server answered; `again` when something stood in the way before. */
  opened?: (again: boolean) => void
  /** An event came: its data, and its number. */
  take: (data: string, id: string | undefined) => void
  /** How it stands, and what the server said when it is away. */
  say: (following: Following, problem?: Problem) => void
  /** Whether nothing more will come. */
  over?: () => boolean
}

/**
 * Follows a stream of events, and again after each interruption, until it is over. While nobody sees
 * the page there is no stream; when it is shown again it goes on.
 */
export async function follow({ path, stop, opened, take, say, over }: Follow) {
  let wait = FIRST_WAIT_MS
  let failed = false
  while (!stop.aborted) {
    await shown(stop)
    if (stop.aborted) return
    const unseen = unseenFor(HIDDEN_MS)
    let problem: Problem | undefined
    try {
      await listen(path(), AbortSignal.any([stop, unseen.signal]), take, () => {
        opened?.(failed)
        wait = FIRST_WAIT_MS
        failed = false
        say('live')
      })
    } catch (error) {
      problem = asProblem(error)
    } finally {
      unseen.end()
    }
    if (stop.aborted || over?.()) return
    if (unseen.signal.aborted) {
      say('connecting')
      continue
    }
    failed ||= problem !== undefined
    // Without an answer there is nothing to say but that it is away.
    say('away', problem?.status ? problem : undefined)
    if (problem?.status === 401) signedOut.dispatchEvent(new Event('signed-out'))
    if (problem?.status === 404) return
    await pause(wait, stop)
    wait = Math.min(wait * 2, LONGEST_WAIT_MS)
  }
}

/** Listens to a stream until it ends. Throws what stood in its way. */
async function listen(path: string, stop: AbortSignal, take: Follow['take'], opened: () => void) {
  const gone = new AbortController()
  let silence: ReturnType<typeof setTimeout> | undefined
  const heard = () => {
    clearTimeout(silence)
    silence = setTimeout(() => gone.abort(), SILENT_MS)
  }
  const offline = () => gone.abort()
  window.addEventListener('offline', offline)
  try {
    heard()
    const answer = await fetch(path, {
      headers: { accept: 'text/event-stream' },
      signal: AbortSignal.any([stop, gone.signal]),
    })
    if (!answer.ok || !answer.body) {
      throw new Problem(answer.status, (await answer.json().catch(() => ({}))) as Record<string, unknown>)
    }
    opened()
    const heartbeat = new TransformStream<string, string>({
      transform(chunk, out) {
        heard()
        out.enqueue(chunk)
      },
    })
    const reader = answer.body
      .pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>)
      .pipeThrough(heartbeat)
      .pipeThrough(new EventSourceParserStream())
      .getReader()
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      take(value.data, value.id)
    }
  } finally {
    clearTimeout(silence)
    window.removeEventListener('offline', offline)
  }
}

/** Waits, at most until the network is back. */
function pause(ms: number, stop: AbortSignal): Promise<void> {
  return new Promise((wake) => {
    const woken = () => {
      clearTimeout(sleeping)
      window.removeEventListener('online', woken)
      stop.removeEventListener('abort', woken)
      wake()
    }
    const sleeping = setTimeout(woken, ms)
    window.addEventListener('online', woken)
    stop.addEventListener('abort', woken)
  })
}

/** Waits until the page can be seen. */
function shown(stop: AbortSignal): Promise<void> {
  if (!document.hidden) return Promise.resolve()
  return new Promise((wake) => {
    const look = () => {
      if (document.hidden && !stop.aborted) return
      document.removeEventListener('visibilitychange', look)
      stop.removeEventListener('abort', look)
      wake()
    }
    document.addEventListener('visibilitychange', look)
    stop.addEventListener('abort', look)
  })
}

/** Aborts when nobody has seen the page for so long, until it is ended. */
function unseenFor(ms: number): { signal: AbortSignal; end: () => void } {
  const unseen = new AbortController()
  let timer: ReturnType<typeof setTimeout> | undefined
  const look = () => {
    clearTimeout(timer)
    timer = document.hidden ? setTimeout(() => unseen.abort(), ms) : undefined
  }
  look()
  document.addEventListener('visibilitychange', look)
  const end = () => {
    clearTimeout(timer)
    document.removeEventListener('visibilitychange', look)
  }
  return { signal: unseen.signal, end }
}
