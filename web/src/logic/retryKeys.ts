/** How long a request that got no answer may be meant by one that says the same, in ms. */
const MEANT_MS = 600_000

/**
 * Keys of requests, so that what is asked again after a lost answer is not done twice: as long as
 * no answer came, the same request keeps its key. An answer, good or bad, ends that; asking for the
 * same once more is then another request.
 */
export class RetryKeys {
  private readonly open = new Map<string, { key: string; at: number }>()

  constructor(private readonly fresh: () => string) {}

  /** The key of a request that says `what`, at a time in ms. */
  of(what: string, now: number): string {
    for (const [name, { at }] of this.open) if (now - at > MEANT_MS) this.open.delete(name)
    const name = digest(what)
    const kept = this.open.get(name)
    if (kept) return kept.key
    const key = this.fresh()
    this.open.set(name, { key, at: now })
    return key
  }

  /** An answer came to the request with this key. */
  answered(key: string): void {
    for (const [name, kept] of this.open) if (kept.key === key) this.open.delete(name)
  }
}

/** What is remembered of a request says nothing of what stood in it (FNV-1a, twice 32 bits). */
function digest(text: string): string {
  let [a, b] = [0x811c9dc5, 0x01000193]
  for (let at = 0; at < text.length; at += 1) {
    a = Math.imul(a ^ text.charCodeAt(at), 0x01000193)
    b = Math.imul(b ^ text.charCodeAt(at), 0x85ebca6b)
  }
  return `${text.length}:${a >>> 0}:${b >>> 0}`
}
