import { useEffect, useState } from 'react'

const HOUR_MS = 3_600_000
/** Whoever looks away for less goes on reading the list they left. */
const AWAY_MS = 5 * 60_000

/**
 * The moment spans are counted back from, in ms. Not the present one, for a list that slides away cannot be read: when
 * `asked` was asked for, and anew each hour and when somebody comes back to the page after a while.
 */
export function useSince(asked: string): number {
  const [since, setSince] = useState({ asked, at: Date.now() })
  if (since.asked !== asked) setSince({ asked, at: Date.now() })
  useEffect(() => {
    const after = (ms: number) => () => {
      setSince((now) => (Date.now() - now.at >= ms ? { ...now, at: Date.now() } : now))
    }
    const [back, hourly] = [after(AWAY_MS), after(HOUR_MS)]
    const clock = setInterval(hourly, AWAY_MS)
    window.addEventListener('focus', back)
    return () => {
      clearInterval(clock)
      window.removeEventListener('focus', back)
    }
  }, [])
  return since.at
}
