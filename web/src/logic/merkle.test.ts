import { expect, test } from 'vitest'
import { hex, same, unbase64, unhex, utf8, type Bytes } from './bytes'
import vectors from './consistencyVectors.json'
import { climb, discontinued, leafHash, nodeHash, type Tree } from './merkle'
import { parseHashes } from './tlogProof'

const bytes = (digits: string): Bytes => unhex(digits) ?? new Uint8Array([99])

// The vectors of the reference implementation of RFC 6962 (certificate-transparency, merkle_tree_test).
const ENTRIES = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f']
const ROOTS = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
]
const PROOF_OF_0_IN_8 = [
  '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
  '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
  '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
]

async function included(leaf: Bytes, index: number, size: number, proof: Bytes[], root: Bytes): Promise<boolean> {
  const way = await climb(leaf, index, size, proof)
  return 'root' in way && same(way.root, root)
}

/** The root by the definition in RFC 6962, 2.1, and the path by that in 2.1.1. */
async function root(leaves: Bytes[]): Promise<Bytes> {
  if (leaves.length === 1) return leaves[0] as Bytes
  const k = split(leaves.length)
  return nodeHash(await root(leaves.slice(0, k)), await root(leaves.slice(k)))
}

async function proof(index: number, leaves: Bytes[]): Promise<Bytes[]> {
  if (leaves.length === 1) return []
  const k = split(leaves.length)
  return index < k
    ? [...(await proof(index, leaves.slice(0, k))), await root(leaves.slice(k))]
    : [...(await proof(index - k, leaves.slice(k))), await root(leaves.slice(0, k))]
}

function split(n: number): number {
  let k = 1
  while (k * 2 < n) k *= 2
  return k
}

const leaves = () => Promise.all(ENTRIES.map((entry) => leafHash(bytes(entry))))

test('the proof of the vectors leads to their root', async () => {
  const way = await climb(await leafHash(bytes('')), 0, 8, PROOF_OF_0_IN_8.map(bytes))
  expect('root' in way && hex(way.root)).toBe(ROOTS[7])
  expect('steps' in way && way.steps.map((step) => step.side)).toEqual(['right', 'right', 'right'])
})

test('every entry of every tree of the vectors is shown to be in it, and its neighbours are not', async () => {
  const all = await leaves()
  for (let size = 1; size <= 8; size += 1) {
    const top = bytes(ROOTS[size - 1] ?? '')
    for (let index = 0; index < size; index += 1) {
      const path = await proof(index, all.slice(0, size))
      const leaf = all[index] as Bytes
      expect(await included(leaf, index, size, path, top), `${index} of ${size}`).toBe(true)
      expect(await included(await leafHash(utf8('other')), index, size, path, top)).toBe(false)
      if (size > 1) expect(await included(leaf, (index + 1) % size, size, path, top)).toBe(false)
      expect(await included(leaf, index, size, [...path, top], top)).toBe(false)
      if (path.length > 0) expect(await included(leaf, index, size, path.slice(1), top)).toBe(false)
    }
  }
})

test('a changed bit anywhere is refused', async () => {
  const all = await leaves()
  const path = await proof(5, all)
  const top = bytes(ROOTS[7] ?? '')
  for (let at = 0; at < path.length; at += 1) {
    for (const bit of [0, 7, 100, 255]) {
      const changed = path.map((hash) => hash.slice())
      const hash = changed[at] as Bytes
      hash[bit >> 3] = (hash[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      expect(await included(all[5] as Bytes, 5, 8, changed, top)).toBe(false)
    }
  }
})

test('impossible places are refused', async () => {
  const leaf = await leafHash(utf8('x'))
  expect(await climb(leaf, 0, 0, [])).toHaveProperty('refused')
  expect(await climb(leaf, 1, 1, [])).toHaveProperty('refused')
  expect(await climb(leaf, -1, 1, [])).toHaveProperty('refused')
  expect(await climb(leaf, 0.5, 1, [])).toHaveProperty('refused')
  expect(await climb(leaf, 0, 2 ** 53, [])).toHaveProperty('refused')
  expect(await included(leaf, 0, 1, [], leaf)).toBe(true)
})

test('places beyond 32 bits are counted rightly', async () => {
  // The last entry of a tree of 2^40 + 1 has one hash beside its way: the root of the first 2^40.
  const [leaf, before] = [await leafHash(utf8('last')), await leafHash(utf8('before'))]
  const way = await climb(leaf, 2 ** 40, 2 ** 40 + 1, [before])
  expect('root' in way && hex(way.root)).toBe(hex(await nodeHash(before, leaf)))
})

/** Made by the server's own code: a test of `prove::continuation` holds the file against it. */
const CONSISTENCY = vectors.map(({ from, to, before, after, proof }) => {
  const [earlier, later] = [unbase64(before), unbase64(after)]
  const hashes = parseHashes(proof)
  if (!earlier || !later || !hashes) throw new Error('the vectors are damaged')
  return { old: { size: from, root: earlier }, now: { size: to, root: later }, hashes }
})

const flipped = (bytes: Bytes, at: number): Bytes => bytes.map((byte, place) => (place === at ? byte ^ 1 : byte))

test('what the server proves to continue, continues', async () => {
  expect(CONSISTENCY.length).toBeGreaterThan(40)
  for (const { old, now, hashes } of CONSISTENCY) {
    expect(await discontinued(old, now, hashes), `${old.size} to ${now.size}`).toBeUndefined()
  }
})

test('every byte of every proof and of both roots counts', async () => {
  for (const { old, now, hashes } of CONSISTENCY) {
    const what = `${old.size} to ${now.size}`
    for (let at = 0; at < 32; at += 1) {
      expect(await discontinued({ ...old, root: flipped(old.root, at) }, now, hashes), what).toBeDefined()
      expect(await discontinued(old, { ...now, root: flipped(now.root, at) }, hashes), what).toBeDefined()
      for (let which = 0; which < hashes.length; which += 1) {
        const changed = hashes.map((hash, place) => (place === which ? flipped(hash, at) : hash))
        expect(await discontinued(old, now, changed), `${what}, byte ${at} of hash ${which}`).toBeDefined()
      }
    }
  }
}, 60_000)

test('a proof with a hash less, more, or in another place is refused', async () => {
  for (const { old, now, hashes } of CONSISTENCY) {
    const what = `${old.size} to ${now.size}`
    for (let at = 0; at < hashes.length; at += 1) {
      expect(await discontinued(old, now, hashes.filter((_, place) => place !== at)), what).toBeDefined()
      expect(await discontinued(old, now, hashes.toSpliced(at, 0, hashes[at] as Bytes)), what).toBeDefined()
    }
    if (hashes.length > 1) expect(await discontinued(old, now, hashes.toReversed()), what).toBeDefined()
    expect(await discontinued(old, now, [...hashes, now.root]), what).toBeDefined()
  }
})

test('sizes that cannot be are refused', async () => {
  const tree = (size: number): Tree => ({ size, root: bytes(ROOTS[0] ?? '') })
  const empty = { size: 0, root: bytes('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855') }
  expect(await discontinued(empty, tree(1), [])).toBeUndefined()
  expect(await discontinued(tree(0), tree(1), [])).toBeDefined()
  expect(await discontinued(empty, tree(1), [empty.root])).toBeDefined()
  expect(await discontinued(tree(1), empty, [])).toBeDefined()
  expect(await discontinued(tree(3), tree(4), [])).toBeDefined()
  for (const size of [-1, 0.5, NaN, 2 ** 53]) {
    expect(await discontinued(tree(size), tree(size), []), `${size}`).toBeDefined()
  }
})
