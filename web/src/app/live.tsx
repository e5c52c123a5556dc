import { useQueryClient, type Query, type QueryClient } from '@tanstack/react-query'
import { createContext, use, useEffect, useState, type ReactNode } from 'react'
import { EventSourceParserStream } from 'eventsource-parser/stream'
import { signedOut } from '../api/client'
import { touchedBy } from '../logic/touched'

/** Something that happened, as the event stream tells it. */
export interface Happening {
  seq: number
  event: string
  ts: string
  data: {
    actor_id: string
    target: { type: string; id: string }
    decision: string | null
    success: boolean
  }
}

/** Whether what is shown is what is so. */
export type Connection = 'connecting' | 'live' | 'away'

interface Live {
  connection: Connection
  /** The last that happened, newest first. */
  recent: Happening[]
}

const Stream = createContext<Live>({ connection: 'connecting', recent: [] })

/** What happens, as it happens. */
export const useLive = () => use(Stream)

const KEPT = 200
/** Queries are asked again at most this often, however much happens. */
const GATHER_MS = 300
const LONGEST_WAIT_MS = 15_000
/** The server says something at least every 15 s; without a word for this long it is away. */
const SILENT_MS = 40_000

/**
 * Follows the tenant's log by its numbers, which have no gaps: after an interruption it goes on
 * after the last one it saw, so nothing is missed. What an event touches is asked for again.
 */
export function LiveProvider({ children }: { children: ReactNode }) {
  const queries = useQueryClient()
  const [live, setLive] = useState<Live>({ connection: 'connecting', recent: [] })

  useEffect(() => {
    const stop = new AbortController()
    let current: AbortController | undefined
    let last: number | undefined
    let touched = new Set<string>()
    let fresh: Happening[] = []
    let timer: ReturnType<typeof setTimeout> | undefined

    const flush = () => {
      timer = undefined
      const [paths, news] = [touched, fresh]
      touched = new Set()
      fresh = []
      setLive((now) => ({ ...now, recent: [...news.reverse(), ...now.recent].slice(0, KEPT) }))
      stale(queries, (path) => paths.has(collection(path)))
    }
    const take = (happening: Happening) => {
      last = happening.seq
      fresh.push(happening)
      for (const path of touchedBy(happening.data.target.type)) touched.add(path)
      timer ??= setTimeout(flush, GATHER_MS)
    }
    const say = (connection: Connection) =>
      setLive((now) => (now.connection === connection ? now : { ...now, connection }))

    const follow = async () => {
      let wait = 500
      while (!stop.signal.aborted) {
        current = new AbortController()
        const gone = current
        let silence: ReturnType<typeof setTimeout> | undefined
        const heard = () => {
          clearTimeout(silence)
          silence = setTimeout(() => gone.abort(), SILENT_MS)
        }
        try {
          const after = last === undefined ? '' : `?after=${last}`
          heard()
          const answer = await fetch(`/api/v1/events${after}`, {
            headers: { accept: 'text/event-stream' },
            signal: AbortSignal.any([stop.signal, gone.signal]),
          })
          if (answer.status === 401) {
            signedOut.dispatchEvent(new Event('signed-out'))
            return
          }
          if (!answer.ok || !answer.body) throw new Error(`the stream answered ${answer.status}`)
          // Something may have happened between the first look and this stream.
          if (last === undefined || wait > 500) stale(queries, () => true)
          say('live')
          wait = 500
          const heartbeat = new TransformStream<string, string>({
            transform(chunk, out) {
              heard()
              out.enqueue(chunk)
            },
          })
          const events = answer.body
            .pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>)
            .pipeThrough(heartbeat)
            .pipeThrough(new EventSourceParserStream())
          const reader = events.getReader()
          for (;;) {
            const { done, value } = await reader.read()
            if (done) break
            if (value.id) take(JSON.parse(value.data) as Happening)
          }
        } catch {
          // Whatever it was, the next try tells.
        } finally {
          clearTimeout(silence)
        }
        if (stop.signal.aborted) return
        say('away')
        const pause = wait
        await new Promise<void>((wake) => {
          const woken = () => {
            clearTimeout(sleeping)
            window.removeEventListener('online', woken)
            wake()
          }
          const sleeping = setTimeout(woken, pause)
          window.addEventListener('online', woken)
        })
        wait = Math.min(wait * 2, LONGEST_WAIT_MS)
      }
    }
    const offline = () => {
      say('away')
      current?.abort()
    }
    window.addEventListener('offline', offline)
    void follow()
    return () => {
      stop.abort()
      clearTimeout(timer)
      window.removeEventListener('offline', offline)
    }
  }, [queries])

  return <Stream value={live}>{children}</Stream>
}

/** Lists of more pages than this are not asked for again by themselves: they say that they are old. */
const MOST_PAGES = 3

/** Asks again for what is shown and stands below these paths. */
function stale(queries: QueryClient, at: (path: string) => boolean) {
  const about = ({ queryKey: [path] }: Query) => typeof path === 'string' && at(path)
  const long = ({ queryKey, state }: Query) =>
    queryKey[1] === 'pages' && ((state.data as { pages?: unknown[] } | undefined)?.pages?.length ?? 0) > MOST_PAGES
  void queries.invalidateQueries({ predicate: (query) => about(query) && !long(query) })
  void queries.invalidateQueries({ predicate: (query) => about(query) && long(query), refetchType: 'none' })
}

/** `/api/v1/plans/{id}` → `plans`. */
function collection(path: string): string {
  return path.split('/')[3] ?? ''
}
