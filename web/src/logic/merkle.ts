import { joined, same, sha256, type Bytes } from './bytes'

/** The hash of an entry: SHA-256(0x00 ‖ entry) (RFC 6962, 2.1). */
export function leafHash(entry: Bytes): Promise<Bytes> {
  return sha256(joined(new Uint8Array([0]), entry))
}

/** The hash of two neighbours: SHA-256(0x01 ‖ left ‖ right) (RFC 6962, 2.1). */
export function nodeHash(left: Bytes, right: Bytes): Promise<Bytes> {
  return sha256(joined(new Uint8Array([1]), left, right))
}

/** One step of the way from a leaf to the root. */
export interface Step {
  /** On which side the other hash stands. */
  side: 'left' | 'right'
  sibling: Bytes
  /** What both make. */
  hash: Bytes
}

/** Where a proof leads. */
export type Way = { steps: Step[]; root: Bytes } | { refused: string }

/**
 * Follows an inclusion proof from the hash of entry `index` of a tree of `size` entries (RFC 9162,
 * 2.1.3.2). The proof holds when the root it leads to is the signed one.
 */
export async function climb(leaf: Bytes, index: number, size: number, proof: Bytes[]): Promise<Way> {
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size) {
    return { refused: `entry ${index} lies outside a tree of ${size} entries` }
  }
  const length = { refused: 'the proof does not have the length these sizes ask for' }
  let [at, last, hash] = [index, size - 1, leaf]
  const steps: Step[] = []
  for (const sibling of proof) {
    if (last === 0) return length
    if (at % 2 === 1 || at === last) {
      hash = await nodeHash(sibling, hash)
      steps.push({ side: 'left', sibling, hash })
      while (at % 2 === 0 && at !== 0) [at, last] = [half(at), half(last)]
    } else {
      hash = await nodeHash(hash, sibling)
      steps.push({ side: 'right', sibling, hash })
    }
    ;[at, last] = [half(at), half(last)]
  }
  return last === 0 ? { steps, root: hash } : length
}

/** A log at some size. */
export interface Tree {
  size: number
  root: Bytes
}

/**
 * Why a consistency proof does not show that the tree `now` begins with the entries of the tree
 * `old` (RFC 9162, 2.1.4.2); none when it shows it.
 */
export async function discontinued(old: Tree, now: Tree, proof: Bytes[]): Promise<string | undefined> {
  const [length, elsewhere] = [
    'it does not have the length these sizes ask for', 'its hashes do not lead to both roots',
  ]
  if (!isSize(old.size) || !isSize(now.size) || old.size > now.size) {
    return `a log of ${now.size} entries cannot continue one of ${old.size}`
  }
  if (old.size === now.size || old.size === 0) {
    if (proof.length > 0) return length
    return same(old.root, old.size === 0 ? await sha256(new Uint8Array()) : now.root) ? undefined : elsewhere
  }
  // A tree that is a power of two is itself the first node of the path.
  const [first, ...rest] = isPowerOfTwo(old.size) ? [old.root, ...proof] : proof
  if (!first) return length
  let [at, last] = [old.size - 1, now.size - 1]
  while (at % 2 === 1) [at, last] = [half(at), half(last)]
  let [before, after] = [first, first]
  for (const sibling of rest) {
    if (last === 0) return length
    if (at % 2 === 1 || at === last) {
      before = await nodeHash(sibling, before)
      after = await nodeHash(sibling, after)
      while (at % 2 === 0 && at !== 0) [at, last] = [half(at), half(last)]
    } else {
      after = await nodeHash(after, sibling)
    }
    ;[at, last] = [half(at), half(last)]
  }
  if (last !== 0) return length
  return same(before, old.root) && same(after, now.root) ? undefined : elsewhere
}

const isSize = (number: number) => Number.isSafeInteger(number) && number >= 0

/** Half a number, rounded down. Not by bits: the operators of bits know 32 of them. */
const half = (number: number) => Math.floor(number / 2)

function isPowerOfTwo(number: number): boolean {
  let rest = number
  while (rest > 1 && rest % 2 === 0) rest /= 2
  return rest === 1
}
