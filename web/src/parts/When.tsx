import { useSyncExternalStore } from 'react'
import { absolute, ago } from '../logic/time'
import { Hint } from './Hint'

const EVERY_MS = 10_000
let now = Date.now()
const listening = new Set<() => void>()

// One clock for all times of a page.
setInterval(() => {
  now = Date.now()
  for (const listener of listening) listener()
}, EVERY_MS)

/** The present moment in ms, renewed every ten seconds. */
export function useNow(): number {
  return useSyncExternalStore(
    (listener) => {
      listening.add(listener)
      return () => listening.delete(listener)
    },
    () => now,
  )
}

/** A time, relative to now; the absolute one in the viewer's zone on hover and for readers of screens. */
export function When({ at, none = 'never' }: { at?: string | null; none?: string }) {
  const present = useNow()
  if (!at) return <span>{none}</span>
  const moment = Date.parse(at)
  const exact = absolute(moment)
  return (
    <Hint label={exact}>
      <time dateTime={at} aria-label={exact} style={{ whiteSpace: 'nowrap' }}>{ago(moment, Math.max(present, Date.now() - EVERY_MS))}</time>
    </Hint>
  )
}
