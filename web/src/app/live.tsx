import { useQueryClient } from '@tanstack/react-query'
import { createContext, use, useEffect, useMemo, useState, type ReactNode } from 'react'
import type { Problem } from '../api/problem'
import { Touched } from '../logic/touched'
import { AskAgain } from './askAgain'
import { follow, type Following } from './follow'

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
export type Connection = Following

interface Live {
  connection: Connection
  /** Why it is away, when the server said so. */
  problem?: Problem
  /** The last that happened, newest first. */
  recent: Happening[]
}

const Stream = createContext<Live>({ connection: 'connecting', recent: [] })
const Again = createContext<AskAgain | undefined>(undefined)

/** What happens, as it happens. */
export const useLive = () => use(Stream)

/** Asks again for what is kept under some keys, without breaking off what is under way; only below `LiveProvider`. */
export function useAskAgain(): AskAgain {
  const again = use(Again)
  if (!again) throw new Error('useAskAgain is for views below LiveProvider')
  return again
}

const KEPT = 200
/** Events are gathered for so long, so that however much happens the page is drawn a few times a second. */
const GATHER_MS = 300

/**
 * Follows the tenant's log by its numbers, which have no gaps: after an interruption, or when the
 * page is shown again, it goes on after the last one it saw, so nothing is missed. What an event
 * touches is asked for again.
 */
export function LiveProvider({ children }: { children: ReactNode }) {
  const queries = useQueryClient()
  const [live, setLive] = useState<Live>({ connection: 'connecting', recent: [] })
  const again = useMemo(() => new AskAgain(queries), [queries])

  useEffect(() => {
    const stop = new AbortController()
    let last: number | undefined
    let touched = new Touched()
    let fresh: Happening[] = []
    let timer: ReturnType<typeof setTimeout> | undefined

    const flush = () => {
      timer = undefined
      const [changed, news] = [touched, fresh]
      touched = new Touched()
      fresh = []
      if (news.length > 0) {
        setLive((now) => ({ ...now, recent: [...news.slice(-KEPT).reverse(), ...now.recent].slice(0, KEPT) }))
      }
      again.changed((key) => changed.has(key))
    }
    const take = (data: string, id: string | undefined) => {
      if (!id) return
      const happening = JSON.parse(data) as Happening
      last = happening.seq
      fresh.push(happening)
      touched.add(happening)
      timer ??= setTimeout(flush, GATHER_MS)
    }
    again.start()
    void follow({
      path: () => `/api/v1/events${last === undefined ? '' : `?after=${last}`}`,
      stop: stop.signal,
      opened: (failed) => {
        // Something may have happened between the first look and this stream; and what was asked for
        // meanwhile may have failed as the stream did.
        if (last !== undefined && !failed) return
        touched.all()
        flush()
      },
      take,
      say: (connection, problem) => setLive((now) => ({ ...now, connection, problem })),
    })
    return () => {
      stop.abort()
      clearTimeout(timer)
      again.stop()
    }
  }, [queries, again])

  return <Again value={again}><Stream value={live}>{children}</Stream></Again>
}
