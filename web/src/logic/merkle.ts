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
  // Not by bits: the operators of bits know 32 of them.
  const half = (number: number) => Math.floor(number / 2)
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

/** Whether the proof shows that this is entry `index` of the tree with this size and root. */
export async function included(
  leaf: Bytes, index: number, size: number, proof: Bytes[], root: Bytes,
): Promise<boolean> {
  const way = await climb(leaf, index, size, proof)
  return !('refused' in way) && same(way.root, root)
}
