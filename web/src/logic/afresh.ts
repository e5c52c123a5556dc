/** The shortest time between two times that a page loads itself anew, in ms: what did not help then does not now. */
const APART_MS = 10 * 60_000

/** Whether a page may load itself anew at `now` (ms), where `last` says when it did, as it is kept. */
export function mayLoadAfresh(last: string | null, now: number): boolean {
  const at = last === null ? NaN : Number(last)
  return !(now - at < APART_MS)
}
