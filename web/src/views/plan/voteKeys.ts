import { useEffect, useRef } from 'react'
import { typing } from '../../app/keys'

/** So long after a `g` a key means a place to go to. */
const GOING_MS = 1_500

const covered = () => document.querySelector('[role="dialog"]') !== null

/**
 * The keys of a vote, `a` and `d`. They listen before those of the frame, which knows `a` as a place
 * too, and rest after a `g`, while somebody types and while a dialogue is open.
 */
export function useVoteKeys(keys: Record<string, () => void>) {
  const latest = useRef(keys)
  latest.current = keys
  useEffect(() => {
    let going = 0
    const pressed = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || covered()) return
      if (event.key === 'g') {
        going = Date.now()
        return
      }
      const act = latest.current[event.key]
      const place = Date.now() - going < GOING_MS
      going = 0
      if (!act || place) return
      event.preventDefault()
      act()
    }
    window.addEventListener('keydown', pressed, { capture: true })
    return () => window.removeEventListener('keydown', pressed, { capture: true })
  }, [])
}
