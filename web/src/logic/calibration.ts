/** Predictions of one stretch, as far as drawing and judging them goes. */
interface Stretch {
  n: number
  predicted: number
  observed: number
  lower: number
  upper: number
}

const STEP = 0.1

/** Where the axes of a calibration diagram end: beyond everything it shows, at a full tenth, at most 1. */
export function furthest(bins: Pick<Stretch, 'predicted' | 'upper'>[]): number {
  const most = Math.max(STEP, ...bins.flatMap((bin) => [bin.predicted, bin.upper]))
  return Math.min(1, Math.ceil(Number((most / STEP).toFixed(6))) / 10)
}

/** Places of ticks up to `end`: at most six, at round shares. */
export function ticks(end: number): number[] {
  const step = [0.02, 0.05, 0.1, 0.2].find((size) => end / size <= 5 + 1e-9) ?? 0.2
  const steps = Math.floor(end / step + 1e-9)
  return Array.from({ length: steps + 1 }, (_, at) => Number((at * step).toFixed(4)))
}

/** What the diagram says, in a sentence: where a prediction lies outside the interval of what was observed. */
export function fit(bins: Stretch[]): string {
  const told = bins.filter((bin) => bin.n > 0)
  const [low, high] = [told.filter((bin) => bin.predicted < bin.lower), told.filter((bin) => bin.predicted > bin.upper)]
  if (told.length === 0) return ''
  if (low.length === 0 && high.length === 0) {
    return 'What was predicted agrees with what was seen, as far as so many can tell.'
  }
  const parts = [
    low.length > 0 ? `in ${low.length} of ${told.length} stretches more failed than was predicted` : '',
    high.length > 0 ? `in ${high.length} of ${told.length} stretches fewer failed than was predicted` : '',
  ].filter((part) => part !== '')
  const sentence = parts.join(', and ')
  return `${sentence.charAt(0).toUpperCase()}${sentence.slice(1)}.`
}
