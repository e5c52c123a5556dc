/** Less than this is the way of an answer and the rounding of its header, not a clock that is wrong. */
const MEANT_MS = 3_000

let ahead = 0

/** What the server's clock is ahead of this machine's, ms, by the `Date` of an answer that came at `now`; 0 when they agree. */
export function skew(date: string | null, now: number): number | undefined {
  const told = date === null ? NaN : Date.parse(date)
  if (Number.isNaN(told)) return undefined
  return Math.abs(told - now) < MEANT_MS ? 0 : told - now
}

/** Takes the clock of an answer. */
export function heardAt(date: string | null): void {
  ahead = skew(date, Date.now()) ?? ahead
}

/** The present moment in ms, as the server's clock has it: it decides when a vote ends. */
export const present = () => Date.now() + ahead
