import { base64, unbase64 } from './bytes'
import { isObject } from './canonical'
import type { Tree } from './merkle'
import type { Checkpoint, Trusted } from './note'

/** A key as it is remembered: what it may sign, and since when it is known. */
export interface KnownKey {
  /** As it is written: `name+id+base64`. */
  text: string
  from: number
  /** None while it is in use. */
  to?: number
  since: string
}

/** What this browser remembers of a tenant's log, so that a server cannot tell one story today and another tomorrow. */
export interface LogMemory {
  /** What the log calls itself. */
  origin: string
  /** The keys it was first seen with, and those a person took on since. */
  keys: KnownKey[]
  /** When somebody said that the fingerprints were compared. */
  compared?: string
  /** The longest log that was seen under a good signature. */
  longest?: { size: number; root: string; at: string }
}

/** How what is offered stands to what is remembered. */
export interface KeyChange {
  /** `unnamed`: none is offered, and some are known. */
  state: 'first' | 'known' | 'changed' | 'unnamed'
  /** Offered and not remembered, or for more sizes than are remembered: as `line` writes them. */
  fresh: string[]
  /** Remembered and not offered any more, in the same way. */
  gone: string[]
  /** Another name of the log than is remembered. */
  renamed?: { was: string; now: string }
}

type Range = Pick<KnownKey, 'from' | 'to'>

/** A key with what it may sign, as the list of keys writes it. */
export const line = ({ text, from, to }: { text: string } & Range) => `${text} ${from} ${to ?? '-'}`

/** A key in use as one that can be remembered. */
export const keyOf = ({ key, from, to }: Trusted) => ({ text: key.text, from, to })

const within = (one: Range, other: Range) =>
  one.from >= other.from && (other.to === undefined || (one.to !== undefined && one.to <= other.to))

/**
 * Compares what is offered with what is remembered. A key that is listed no more is a change, and one
 * that may sign more than it might; one that may sign less is not. Another name of the log is one.
 */
export function keyChange(memory: LogMemory | undefined, origin: string, offered: Trusted[]): KeyChange {
  const known = memory?.keys ?? []
  if (!memory || known.length === 0) return { state: 'first', fresh: offered.map((one) => line(keyOf(one))), gone: [] }
  const now = offered.map(keyOf)
  const fresh = now.filter((one) => !known.some((key) => key.text === one.text && within(one, key))).map(line)
  const gone = known.filter((key) => !now.some((one) => one.text === key.text)).map(line)
  if (origin !== memory.origin) {
    return { state: 'changed', fresh, gone, renamed: { was: memory.origin, now: origin } }
  }
  if (now.length === 0) return { state: 'unnamed', fresh, gone }
  return { state: fresh.length + gone.length > 0 ? 'changed' : 'known', fresh, gone }
}

/**
 * Keys a person gave, with the sizes that are known of them: who gives a key alone vouches for the
 * key, and does not say how long it was in use.
 */
export function ranged(given: Trusted[], listed: Trusted[]): Trusted[] {
  return given.flatMap((one) => {
    const same = listed.filter(({ key }) => key.text === one.key.text)
    return one.from === 0 && one.to === undefined && same.length > 0 ? same : [one]
  })
}

/** The longest log that was seen; none when none was. */
export function longestSeen(memory: LogMemory | undefined): (Tree & { at: string }) | undefined {
  const { size, root, at } = memory?.longest ?? {}
  const hash = unbase64(root ?? '')
  return size === undefined || at === undefined || hash?.length !== 32 ? undefined : { size, root: hash, at }
}

/** Remembers the keys of a log that were seen, at a time. Those that are known keep theirs. */
export function withKeys(memory: LogMemory | undefined, origin: string, offered: Trusted[], at: string): LogMemory {
  const since = (text: string) => memory?.keys.find((key) => key.text === text)?.since ?? at
  const keys = offered.map((one) => ({ ...keyOf(one), since: since(one.key.text) }))
  const made: LogMemory = { ...memory, origin, keys }
  // That somebody compared the keys is said of those that were known, and not of what came since.
  if (keyChange(memory, origin, offered).state !== 'known') delete made.compared
  return made
}

/** Remembers a checkpoint whose signature was good, when it is longer than the longest so far. */
export function withSeen(memory: LogMemory, checkpoint: Checkpoint, at: string): LogMemory {
  if (memory.origin !== checkpoint.origin) return memory
  if (memory.longest && memory.longest.size >= checkpoint.size) return memory
  return { ...memory, longest: { size: checkpoint.size, root: base64(checkpoint.root), at } }
}

const isSize = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0

function knownKey(key: unknown): KnownKey[] {
  if (!isObject(key) || typeof key.text !== 'string' || typeof key.since !== 'string' || !isSize(key.from)) return []
  const { text, from, to, since } = key
  // A key whose end cannot be read must not become one without an end.
  if (to !== undefined && !isSize(to)) return []
  return [{ text, from, to, since }]
}

/** Reads what was remembered; none when it is nothing that was written here. */
export function parseMemory(text: string | null): LogMemory | undefined {
  let read: unknown
  try {
    read = JSON.parse(text ?? 'null')
  } catch {
    return undefined
  }
  if (!isObject(read) || typeof read.origin !== 'string' || !Array.isArray(read.keys)) return undefined
  const { longest, compared } = read
  const memory: LogMemory = { origin: read.origin, keys: read.keys.flatMap(knownKey) }
  const whole = memory.keys.length === read.keys.length
  if (typeof compared === 'string' && whole) memory.compared = compared
  if (isObject(longest) && isSize(longest.size) && typeof longest.root === 'string') {
    memory.longest = { size: longest.size, root: longest.root, at: String(longest.at) }
  }
  return memory
}
