import { useQueryClient, type QueryClient } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { signedOut } from '../../api/client'
import { asProblem, type Problem } from '../../api/problem'
import { over, readEvent, type Told } from '../../logic/executionEvents'
import { listen, pause } from './listen'

/** How the stream of an execution stands. */
export type Following = 'connecting' | 'live' | 'away' | 'over'

/** What the stream of an execution said so far. */
export interface Followed {
  following: Following
  /** Steps and states, in order; not the output. */
  told: readonly Told[]
  /** How often output of each step run was told: whoever shows it reads on when the number changes. */
  outputs: ReadonlyMap<string, number>
  /** Why it is away, when the server said so. */
  problem?: Problem
}

const GATHER_MS = 200
const ASK_AGAIN_MS = 400
const FIRST_WAIT_MS = 500
const LONGEST_WAIT_MS = 15_000
/** Events kept; of an execution with more the last are shown. */
const MOST = 20_000

const nothing: Followed = { following: 'connecting', told: [], outputs: new Map() }

/**
 * Follows one execution by its own stream, from its beginning and, after an interruption, from the
 * last event that came. What changed is asked for again while it is not over.
 */
export function useFollow(id: string, ended: boolean): Followed {
  const queries = useQueryClient()
  const [followed, setFollowed] = useState<Followed>(nothing)
  useEffect(() => {
    setFollowed(nothing)
    const stop = new AbortController()
    const gathered = new Gathered(queries, id, !ended, setFollowed)
    const say = (following: Following, problem?: Problem) => setFollowed((now) => ({ ...now, following, problem }))
    void follow(id, gathered, stop.signal, say)
    return () => {
      stop.abort()
      gathered.end()
    }
    // Whether it is over says only whether to ask again: it does not begin the stream anew.
  }, [id, queries])
  return followed
}

/** Listens, and again after each interruption, until the execution is over. */
async function follow(
  id: string, gathered: Gathered, stop: AbortSignal, say: (following: Following, problem?: Problem) => void,
) {
  let wait = FIRST_WAIT_MS
  const opened = () => {
    wait = FIRST_WAIT_MS
    say('live')
  }
  while (!stop.aborted) {
    let problem: Problem | undefined
    try {
      await listen({ id, after: gathered.last, stop, opened, take: gathered.take })
    } catch (error) {
      problem = asProblem(error)
    }
    if (stop.aborted) return
    if (gathered.finished) return say('over')
    // Without an answer there is nothing to say but that it is away.
    say('away', problem?.status ? problem : undefined)
    if (problem?.status === 401) signedOut.dispatchEvent(new Event('signed-out'))
    if (problem?.status === 401 || problem?.status === 404) return
    await pause(wait, stop)
    wait = Math.min(wait * 2, LONGEST_WAIT_MS)
  }
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
    private readonly queries: QueryClient,
    private readonly id: string,
    private readonly asks: boolean,
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
      if (this.asks) this.asking ??= setTimeout(this.askAgain, ASK_AGAIN_MS)
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
    const queryKey = ['/api/v1/executions/{id}', { params: { path: { id: this.id } } }]
    void this.queries.invalidateQueries({ queryKey })
  }
}

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
