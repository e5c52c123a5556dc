import { base64, same, unbase64 } from './bytes'
import { isObject } from './canonical'
import type { Checkpoint } from './note'

/** What this browser remembers of a log, so that a server cannot tell one story today and another tomorrow. */
export interface LogMemory {
  /** The keys it was first seen with, and those a person took on since. */
  keys: { text: string; since: string }[]
  /** When somebody said that the fingerprints were compared. */
  compared?: string
  /** The longest log that was seen under a good signature. */
  longest?: { size: number; root: string; at: string }
}

/** How the keys that are offered stand to those that are remembered. */
export interface KeyChange {
  state: 'first' | 'known' | 'changed'
  /** Offered and not remembered. */
  fresh: string[]
  /** Remembered and not offered any more. */
  gone: string[]
}

/** Compares offered keys with those remembered. A key that is listed no more is a change as well. */
export function keyChange(memory: LogMemory | undefined, offered: string[]): KeyChange {
  const known = memory?.keys.map((key) => key.text) ?? []
  const fresh = offered.filter((key) => !known.includes(key))
  const gone = known.filter((key) => !offered.includes(key))
  if (known.length === 0) return { state: 'first', fresh, gone: [] }
  return { state: fresh.length + gone.length > 0 ? 'changed' : 'known', fresh, gone }
}

/** Why a checkpoint contradicts what was seen before; none when it does not, as far as can be told. */
export function contradicts(memory: LogMemory | undefined, checkpoint: Checkpoint): string | undefined {
  const seen = memory?.longest
  if (!seen) return undefined
  const root = unbase64(seen.root)
  if (checkpoint.size === seen.size && root && !same(root, checkpoint.root)) {
    return `two logs of ${seen.size} events with different roots: it was forked or rewritten`
  }
  return undefined
}

/** Why the newest checkpoint cannot follow what was seen before: a log never becomes shorter. */
export function shrunk(memory: LogMemory | undefined, newest: Checkpoint): string | undefined {
  const seen = memory?.longest
  return seen && newest.size < seen.size
    ? `the log had ${seen.size} events before and has ${newest.size} now: events are missing`
    : undefined
}

/** Remembers keys that were seen, at a time. Those that are known keep theirs. */
export function withKeys(memory: LogMemory | undefined, offered: string[], at: string): LogMemory {
  const known = new Map(memory?.keys.map((key) => [key.text, key]))
  const keys = offered.map((text) => known.get(text) ?? { text, since: at })
  return { ...memory, keys }
}

/** Remembers a checkpoint whose signature was good, when it is longer than the longest so far. */
export function withSeen(memory: LogMemory, checkpoint: Checkpoint, at: string): LogMemory {
  if (memory.longest && memory.longest.size >= checkpoint.size) return memory
  return { ...memory, longest: { size: checkpoint.size, root: base64(checkpoint.root), at } }
}

/** Reads what was remembered; none when it is nothing that was written here. */
export function parseMemory(text: string | null): LogMemory | undefined {
  let read: unknown
  try {
    read = JSON.parse(text ?? 'null')
  } catch {
    return undefined
  }
  if (!isObject(read) || !Array.isArray(read.keys)) return undefined
  const keys = read.keys.flatMap((key) =>
    isObject(key) && typeof key.text === 'string' && typeof key.since === 'string'
      ? [{ text: key.text, since: key.since }]
      : [],
  )
  const { longest, compared } = read
  const memory: LogMemory = { keys }
  if (typeof compared === 'string') memory.compared = compared
  if (isObject(longest) && typeof longest.size === 'number' && typeof longest.root === 'string') {
    memory.longest = { size: longest.size, root: longest.root, at: String(longest.at) }
  }
  return memory
}
