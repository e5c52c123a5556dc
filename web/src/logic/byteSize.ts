const UNITS = ['B', 'kB', 'MB', 'GB', 'TB']

/** A number of bytes in words: `812 B`, `4.2 kB`, `100 MB`; a kB is 1,000 bytes. */
export function byteSize(bytes: number): string {
  let [value, unit] = [bytes, 0]
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1_000
    unit += 1
  }
  const digits = unit > 0 && value < 9.95 ? 1 : 0
  return `${value.toFixed(digits)} ${UNITS[unit] ?? ''}`
}
