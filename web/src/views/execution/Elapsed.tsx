import { duration } from '../../logic/time'
import { useTick } from './useTick'

/** How long something has taken so far. */
export function Elapsed({ since, words = '' }: { since: string; words?: string }) {
  const now = useTick(true)
  return <>{duration(Math.max(0, now - Date.parse(since)))}{words}</>
}
