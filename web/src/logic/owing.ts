/** The same is asked again after its answer this soon at the earliest, in ms. */
export const LEAST_REST_MS = 300
/** However long an answer took, after this long it is asked for again, in ms. */
export const MOST_REST_MS = 5_000

/**
 * What has changed since it was asked for, and when to ask again. What is under way is not broken
 * off: with changes that come faster than answers nothing would ever be answered. It stays owed, and
 * is asked again after its answer and a rest as long as that took, so that what is slow is asked for
 * half of the time at most.
 */
export class Owing {
  private readonly owed = new Set<string>()
  private readonly began = new Map<string, number>()
  private readonly rested = new Map<string, number>()

  /** It changed. */
  owe(key: string) {
    this.owed.add(key)
  }

  /** Whether it is under way now; told whenever that may have changed. */
  see(key: string, underWay: boolean, now: number) {
    const began = this.began.get(key)
    if (underWay === (began !== undefined)) return
    if (underWay) {
      this.began.set(key, now)
    } else if (began !== undefined) {
      this.began.delete(key)
      this.rested.set(key, now + Math.min(Math.max(now - began, LEAST_REST_MS), MOST_REST_MS))
    }
  }

  /** Nobody has it any more. */
  forget(key: string) {
    for (const kept of [this.owed, this.began, this.rested]) kept.delete(key)
  }

  /** What is to be asked now. It is owed no more. */
  take(now: number): string[] {
    const due = [...this.owed].filter((key) => !this.began.has(key) && (this.rested.get(key) ?? now) <= now)
    for (const key of due) this.owed.delete(key)
    return due
  }

  /** When something is to be asked, in ms of the same clock; none while all that is owed is under way. */
  next(now: number): number | undefined {
    let next: number | undefined
    for (const key of this.owed) {
      if (this.began.has(key)) continue
      const at = Math.max(this.rested.get(key) ?? now, now)
      next = Math.min(next ?? at, at)
    }
    return next
  }
}
