/** A size in bytes, as people read it: `340 B`, `12 kB`, `3.4 MB`. */
export function bytes(size: number | null | undefined): string {
  if (size === null || size === undefined) return '–'
  if (size < 1_000) return `${size} B`
  const units = ['kB', 'MB', 'GB', 'TB']
  let value = size
  let unit = 'B'
  for (const next of units) {
    if (value < 1_000) break
    value /= 1_000
    unit = next
  }
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${unit}`
}
