import { useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react'
import { OutputSearch, type Found } from '../../logic/outputSearch'
import type { Standing } from '../../logic/outputParts'
import { OutputStore } from '../../logic/outputStore'
import { outputOf, type Stream } from './readOutput'

/** Live output is asked for at most this often. */
const GATHER_MS = 250
/** While a step runs and its stream says nothing, its output is asked for this often. */
const ASK_MS = 5_000

interface Output {
  store: OutputStore
  standing: Standing
}

interface Wanted {
  execution: string
  step: string
  stream: Stream
  attempt: number | undefined
  again: number
  told: number
}

/**
 * The output of a step run, which grows while it runs: of its last attempt, or of the one asked
 * for. `again` is a number that changes when the step is tried again, `told` one that changes when
 * the stream told of more.
 */
export function useOutput({ execution, step, stream, attempt, again, told }: Wanted): Output {
  // A step that is tried again prints from the start: that is another output.
  const store = useMemo(
    () => new OutputStore(outputOf(execution, step, stream, attempt)), [execution, step, stream, attempt, again],
  )
  const standing = useSyncExternalStore(store.subscribe, store.now)
  const asking = useRef<ReturnType<typeof setTimeout>>(undefined)

  useEffect(() => {
    store.open()
    return () => {
      clearTimeout(asking.current)
      asking.current = undefined
      store.close()
    }
  }, [store])
  useEffect(() => {
    asking.current ??= setTimeout(() => {
      asking.current = undefined
      store.poke()
    }, GATHER_MS)
  }, [store, told])
  useEffect(() => {
    if (standing.ended) return
    const timer = setInterval(() => store.poke(), ASK_MS)
    return () => clearInterval(timer)
  }, [store, standing.ended])

  return { store, standing }
}

const NOTHING: Found = { count: 0, lines: [], searched: 0, done: true }

/** What a text is found in, in an output, as it is searched and as more comes. */
export function useOutputSearch({ store, standing }: Output, text: string): Found {
  const [found, setFound] = useState<Found>(NOTHING)
  const search = useRef<OutputSearch>(undefined)
  useEffect(() => {
    setFound(NOTHING)
    if (!text) return
    store.want(Infinity)
    setFound({ ...NOTHING, done: false })
    const begun = new OutputSearch(store, text, setFound)
    search.current = begun
    void begun.go()
    return () => {
      begun.stop()
      search.current = undefined
    }
  }, [store, text, standing.began])
  useEffect(() => {
    void search.current?.go()
  }, [standing])
  return found
}
