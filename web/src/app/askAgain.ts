import type { Query, QueryClient } from '@tanstack/react-query'
import { Owing } from '../logic/owing'

/** Lists of more pages than this are not asked for again by themselves: they say that they are old. */
const MOST_PAGES = 3

/** Asks again for what changed: what is shown at once, the rest when it is shown next. */
export class AskAgain {
  private owing = new Owing()
  private timer: ReturnType<typeof setTimeout> | undefined
  /** When it goes off. */
  private planned: number | undefined
  private leave: (() => void) | undefined

  constructor(private readonly queries: QueryClient, private readonly clock: () => number = Date.now) {}

  /** Begins to follow what is under way. */
  start() {
    const cache = this.queries.getQueryCache()
    this.owing = new Owing()
    for (const query of cache.getAll()) this.see(query)
    this.leave = cache.subscribe(({ type, query }) => {
      if (type === 'removed') this.owing.forget(query.queryHash)
      else if (type === 'updated') this.see(query)
    })
  }

  stop() {
    clearTimeout(this.timer)
    this.planned = undefined
    this.leave?.()
  }

  /** What has one of these keys may have changed. */
  changed(has: (key: readonly unknown[]) => boolean) {
    for (const query of this.queries.getQueryCache().getAll()) {
      if (has(query.queryKey)) this.owing.owe(query.queryHash)
    }
    this.look()
  }

  private see({ queryHash, state }: Query) {
    this.owing.see(queryHash, state.fetchStatus === 'fetching', this.clock())
    this.plan()
  }

  private look = () => {
    const due = new Set(this.owing.take(this.clock()))
    if (due.size > 0) {
      const about = ({ queryHash }: Query) => due.has(queryHash)
      void this.queries.invalidateQueries({ predicate: (query) => about(query) && !long(query) })
      void this.queries.invalidateQueries({ predicate: (query) => about(query) && long(query), refetchType: 'none' })
    }
    this.plan()
  }

  private plan() {
    const now = this.clock()
    const next = this.owing.next(now)
    if (next === this.planned) return
    clearTimeout(this.timer)
    this.planned = next
    this.timer = next === undefined ? undefined : setTimeout(this.wake, next - now)
  }

  private wake = () => {
    this.planned = undefined
    this.look()
  }
}

const long = ({ queryKey, state }: Query) =>
  queryKey[1] === 'pages' && ((state.data as { pages?: unknown[] } | undefined)?.pages?.length ?? 0) > MOST_PAGES
