import { useEffect, useState } from 'react'
import type { Problem } from '../../api/problem'
import type { AskAgain } from '../../app/askAgain'
import { follow, type Following } from '../../app/follow'
import { useAskAgain } from '../../app/live'
import { over, readEvent, type Told } from '../../logic/executionEvents'

/** What the stream of an execution said so far. */
export interface Followed {
  /** `over` when nothing more will come. */
  following: Following | 'over'
  /** Steps and states, in order; not the output. */
  told: readonly Told[]
  /** How often output of each step run was told: whoever shows it reads on when the number changes. */
  outputs: ReadonlyMap<string, number>
  /** Why it is away, when the server said so. */
  problem?: Problem
}

const GATHER_MS = 200
const ASK_AGAIN_MS = 400
/** Events kept; of an execution with more the last are shown. */
const MOST = 20_000

const nothing: Followed = { following: 'connecting', told: [], outputs: new Map() }

/**
 * Follows one execution by its own stream, from its beginning and, after an interruption, from the
 * last event that came. What changed is asked for again while it is not over.
 */
export function useFollow(id: string, ended: boolean): Followed {
  const again = useAskAgain()
  const [followed, setFollowed] = useState<Followed>(nothing)
  useEffect(() => {
    setFollowed(nothing)
    const stop = new AbortController()
    const gathered = new Gathered(ended ? undefined : again, id, setFollowed)
    const say = (following: Following | 'over', problem?: Problem) =>
      setFollowed((now) => ({ ...now, following, problem }))
    void follow({
      path: () => `/api/v1/executions/${encodeURIComponent(id)}/events?after=${gathered.last}`,
      stop: stop.signal,
      take: gathered.take,
      say,
      over: () => {
        if (gathered.finished) say('over')
        return gathered.finished
      },
    })
    return () => {
      stop.abort()
      gathered.end()
    }
    // Whether it is over says only whether to ask again: it does not begin the stream anew.
  }, [id, again])
  return followed
}

/** Gathers events for a moment, so that however many come the page is drawn a few times a second. */
class Gathered {
  /** The number of the last event that came. */
  last = -1
  finished = false
  private told: Told[] = []
  private printed: string[] = []
  private gathering: ReturnType<typeof setTimeout> | undefined
  private asking: ReturnType<typeof setTimeout> | undefined

  constructor(
    /** What changed is asked for again by it; not when all was over before. */
    private readonly again: AskAgain | undefined,
    private readonly id: string,
    private readonly set: (change: (now: Followed) => Followed) => void,
  ) {}

  take = (data: string, number: string | undefined) => {
    const heard = readEvent(data)
    if (number !== undefined && /^-?\d+$/.test(number)) this.last = Math.max(this.last, Number(number))
    if (!heard) return
    if ('output' in heard) {
      this.printed.push(heard.output)
    } else {
      this.told.push(heard.told)
      this.finished = heard.told.kind !== 'step' && over(heard.told.state ?? '')
      if (this.again) this.asking ??= setTimeout(this.askAgain, ASK_AGAIN_MS)
    }
    this.gathering ??= setTimeout(this.flush, GATHER_MS)
  }

  end() {
    clearTimeout(this.gathering)
    clearTimeout(this.asking)
  }

  private flush = () => {
    const { told, printed } = this
    this.gathering = undefined
    this.told = []
    this.printed = []
    this.set((now) => merged(now, told, printed))
  }

  private askAgain = () => {
    this.asking = undefined
    this.again?.changed(([path, asked]) => path === '/api/v1/executions/{id}' && idOf(asked) === this.id)
  }
}

const idOf = (asked: unknown) => (asked as { params?: { path?: { id?: string } } } | null)?.params?.path?.id

function merged(now: Followed, told: Told[], printed: string[]): Followed {
  const outputs = new Map(now.outputs)
  for (const run of printed) outputs.set(run, (outputs.get(run) ?? 0) + 1)
  const seen = now.told.at(-1)?.seq ?? -1
  // The closing word of a stream bears the number of the last event.
  const fresh = told.filter((one) => one.seq > seen || one.kind === 'execution.ended')
  return {
    ...now,
    outputs: printed.length > 0 ? outputs : now.outputs,
    told: fresh.length > 0 ? [...now.told, ...fresh].slice(-MOST) : now.told,
  }
}
