import { useSyncExternalStore } from 'react'
import { present } from '../logic/clock'
import { absolute, ago } from '../logic/time'
import { Hint } from './Hint'

const EVERY_MS = 10_000
let ticked = present()
const listening = new Set<() => void>()

// One clock for all times of a page.
setInterval(() => {
  ticked = present()
  for (const listener of listening) listener()
}, EVERY_MS)

/** The present moment in ms by the server's clock, renewed every ten seconds. */
export function useNow(): number {
  return useSyncExternalStore(
    (listener) => {
      listening.add(listener)
      return () => listening.delete(listener)
    },
    () => ticked,
  )
}

/** A time, relative to now; the absolute one in the viewer's zone on hover and for readers of screens. */
export function When({ at, none = 'never' }: { at?: string | null; none?: string }) {
  const now = useNow()
  if (!at) return <span>{none}</span>
  const moment = Date.parse(at)
  const exact = absolute(moment)
  return (
    <Hint label={exact}>
      <time dateTime={at} aria-label={exact} style={{ whiteSpace: 'nowrap' }}>{ago(moment, Math.max(now, present() - EVERY_MS))}</time>
    </Hint>
  )
}
