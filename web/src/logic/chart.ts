/** Values of a series at the places of the chart's x; null where there is none. */
export type Values = (number | null)[]

/**
 * Each series on top of those before it: the heights of the upper edges. What is missing adds
 * nothing; where all up to a series are missing its edge is missing too.
 */
export function stacked(series: Values[]): Values[] {
  const below: Values = []
  return series.map((values) =>
    values.map((value, index) => {
      const ground = below[index] ?? null
      const edge = value === null ? ground : (ground ?? 0) + value
      below[index] = edge
      return edge
    }),
  )
}

/** The smallest distance between neighbours of sorted `x`; `alone` when there are none. */
export function step(x: number[], alone = 1): number {
  let least = Infinity
  for (let index = 1; index < x.length; index++) {
    const gap = (x[index] ?? 0) - (x[index - 1] ?? 0)
    if (gap > 0 && gap < least) least = gap
  }
  return Number.isFinite(least) ? least : alone
}

const DAY_S = 86_400
const HOUR_S = 3_600

/**
 * How ticks of a time axis are written: days by day and month, the year where it changes; what is
 * closer together by the clock. `splits` and `increment` are in seconds.
 */
export function timeLabels(splits: number[], increment: number, zone: 'utc' | 'local'): string[] {
  const timeZone = zone === 'utc' ? 'UTC' : undefined
  const day = new Intl.DateTimeFormat('en', { timeZone, day: 'numeric', month: 'short' })
  const clock = new Intl.DateTimeFormat('en', {
    timeZone, hour: '2-digit', minute: '2-digit', second: increment < 60 ? '2-digit' : undefined, hourCycle: 'h23',
  })
  const year = new Intl.DateTimeFormat('en', { timeZone, year: 'numeric' })
  let before = ''
  return splits.map((split, index) => {
    const at = new Date(split * 1_000)
    if (increment < DAY_S) {
      const time = clock.format(at)
      const date = day.format(at)
      const fresh = date !== before && (index > 0 || increment >= HOUR_S)
      before = date
      return fresh ? date : time
    }
    const now = year.format(at)
    const text = index > 0 && now !== before ? now : day.format(at)
    before = now
    return text
  })
}

/** A number in few characters: `0`, `0.034`, `12.5`, `1,234`, `1.2M`. */
export function short(value: number): string {
  const size = Math.abs(value)
  const write = (options: Intl.NumberFormatOptions) => new Intl.NumberFormat('en', options).format(value)
  if (size >= 100_000) return write({ notation: 'compact', maximumFractionDigits: 1 })
  if (size >= 100 || Number.isInteger(value)) return write({ maximumFractionDigits: 0 })
  return write({ maximumSignificantDigits: 3 })
}

/** A share, 0 to 1, in per cent: `0 %`, `3.4 %`, `100 %`. What is not quite all is not written as all. */
export function percent(share: number): string {
  const value = share * 100
  const digits = Math.abs(value) < 10 && value !== 0 ? 1 : 0
  let text = value.toFixed(digits)
  if (share < 1 && Number(text) >= 100) text = '99.9'
  if (share > 0 && Number(text) === 0) return '< 0.1 %'
  return `${digits === 1 && text.endsWith('.0') ? text.slice(0, -2) : text} %`
}

/** At most `most` indices of `count`, evenly, first and last among them. */
export function sample(count: number, most: number): number[] {
  if (count <= most) return Array.from({ length: count }, (_, index) => index)
  if (most < 2) return count > 0 ? [0] : []
  const chosen = new Set<number>()
  for (let index = 0; index < most; index++) chosen.add(Math.round((index * (count - 1)) / (most - 1)))
  return [...chosen]
}
