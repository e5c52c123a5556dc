import { duration } from './time'

/** How long something took or takes, in words and without parts that are nothing: `24 h`, `12 min 5 s`. In seconds. */
export function span(seconds: number): string {
  return duration(Math.abs(seconds) * 1_000).replace(/ 0 (s|min|h)$/, '')
}

/** How far something is from a finding, in words: `12 min before`. In seconds; negative is before. */
export function apart(seconds: number): string {
  return Math.abs(seconds) < 1 ? 'at that moment' : `${span(seconds)} ${seconds < 0 ? 'before' : 'after'}`
}

const MINUTE_S = 60

/**
 * Where something stands on a line from -1 to 1 whose middle is the finding, when the farthest is
 * `farthest` seconds away. Logarithmic in minutes, so that seconds and days both find their place.
 */
export function placeOnLine(seconds: number, farthest: number): number {
  const most = Math.log1p(Math.abs(farthest) / MINUTE_S)
  if (most === 0) return 0
  const place = Math.log1p(Math.abs(seconds) / MINUTE_S) / most
  return Math.sign(seconds) * Math.min(1, place)
}
