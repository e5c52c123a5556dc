const STEPS: [number, number, Intl.RelativeTimeFormatUnit][] = [
  [60, 1, 'second'],
  [3_600, 60, 'minute'],
  [86_400, 3_600, 'hour'],
  [86_400 * 14, 86_400, 'day'],
  [86_400 * 60, 86_400 * 7, 'week'],
  [86_400 * 365 * 2, 86_400 * 30.44, 'month'],
  [Infinity, 86_400 * 365.25, 'year'],
]

const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto', style: 'short' })

/** `at` seen from `now` (both in ms): `3 min. ago`, `in 2 hr.`, `now`. */
export function ago(at: number, now: number): string {
  const seconds = (at - now) / 1_000
  const size = Math.abs(seconds)
  if (size < 5) return 'now'
  for (const [below, per, unit] of STEPS) {
    if (size < below) return relative.format(Math.trunc(seconds / per), unit)
  }
  return ''
}

/** A moment in the viewer's zone, to the second, with the zone's name. */
export function absolute(at: number): string {
  return new Date(at).toLocaleString(undefined, {
    year: 'numeric', month: 'short', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit',
    timeZoneName: 'short',
  })
}

/** How long something took: `340 ms`, `4.2 s`, `3 min 20 s`, `2 h 5 min`. */
export function duration(ms: number): string {
  if (Math.round(ms) < 1_000) return `${Math.round(ms)} ms`
  // Rounded before it is split: there is no sixtieth second.
  if (Math.round(ms / 100) < 100) return `${(ms / 1_000).toFixed(1)} s`
  const seconds = Math.round(ms / 1_000)
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`
  const hours = Math.floor(minutes / 60)
  if (hours < 48) return `${hours} h ${minutes % 60} min`
  return `${Math.floor(hours / 24)} d ${hours % 24} h`
}
