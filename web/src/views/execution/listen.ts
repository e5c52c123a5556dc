import { EventSourceParserStream } from 'eventsource-parser/stream'
import { Problem } from '../../api/problem'

/** The server says something at least every 15 s; without a word for this long it is away. */
const SILENT_MS = 40_000

interface Listening {
  /** The execution. */
  id: string
  /** The number of the last event that came; -1 for all. */
  after: number
  stop: AbortSignal
  /** The server answered. */
  opened: () => void
  /** An event came: its data, and its number. */
  take: (data: string, id: string | undefined) => void
}

/** Listens to the stream of an execution, until it ends. Throws what stood in its way. */
export async function listen({ id, after, stop, opened, take }: Listening) {
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
    const answer = await fetch(`/api/v1/executions/${encodeURIComponent(id)}/events?after=${after}`, {
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
export function pause(ms: number, stop: AbortSignal): Promise<void> {
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
