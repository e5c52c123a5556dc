import { beforeAll, expect, test } from 'vitest'
import { butForTheKey, checkEvent, type Checked, type Given } from './auditCheck'
import { base64, hex, joined, sha256, unhex, utf8, type Bytes } from './bytes'
import { logged } from './canonical'
import { checkpointCheck } from './checkpointCheck'
import { keyChange, type LogMemory } from './logMemory'
import { leafHash, nodeHash } from './merkle'
import { keyId, parseKey, type Trusted } from './note'

const TENANT = '018f0000-0000-7000-8000-000000000001'
const ORIGIN = `audit.test/${TENANT}`

interface Signer {
  pair: CryptoKeyPair
  trusted: Trusted
}

async function signer(name = ORIGIN): Promise<Signer> {
  const pair = await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify'])
  const raw = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey))
  const id = await keyId(name, raw)
  const key = await parseKey(`${name}+${id}+${base64(joined(new Uint8Array([1]), raw))}`)
  if (!key) throw new Error('the key is its own')
  return { pair, trusted: { key, from: 0 } }
}

async function note(by: Signer, text: string): Promise<string> {
  const made = new Uint8Array(await crypto.subtle.sign('Ed25519', by.pair.privateKey, utf8(text)))
  const { name, id } = by.trusted.key
  return `${text}\n\u2014 ${name} ${base64(joined(unhex(id) ?? new Uint8Array(), made))}\n`
}

const SALT = 'ab'.repeat(32)
const BODY = '{"display_name":"Ada","ip_address":"192.0.2.1"}'
let personal: string
const FOURTH = new Uint8Array(32).fill(4)

const event = (n: number) => ({
  v: 1, event_id: `evt_${n}`, action: 'execution.completed', occurred_at: '2026-01-01T00:00:00.000000Z', success: true,
  actor: { id: 'act_1', type: 'user', display_name: 'Ada' }, personal, ip_address: '192.0.2.1',
  target: { type: 'execution', id: 'exe_1' }, context: { n }, evidence_refs: [], tenant_id: `ten_${TENANT}`,
})

let one: Signer
let another: Signer
let good: Given
let hashes: Bytes[]
/** The log of three events; with a fourth. */
let roots: [Bytes, Bytes]

/** Another digit of base64. */
const flip = (digit: string) => (digit === 'A' ? 'B' : 'A')

const tree = async (by: Signer, size: number, root: Bytes, origin = ORIGIN) =>
  note(by, `${origin}\n${size}\n${base64(root)}\n`)

/** The proof that a log of four events begins with these three (RFC 6962, 2.1.3, in small). */
const grown = () => [hashes[2], FOURTH, hashes[3]].map((hash) => `${base64(hash as Bytes)}\n`).join('')

beforeAll(async () => {
  one = await signer()
  another = await signer()
  personal = hex(await sha256(joined(unhex(SALT) ?? new Uint8Array(), utf8(BODY))))
  const leaves = await Promise.all([0, 1, 2].map((n) => leafHash(utf8(logged(event(n)).text))))
  const [a, b, c] = leaves as [Bytes, Bytes, Bytes]
  const left = await nodeHash(a, b)
  hashes = [a, b, c, left]
  roots = [await nodeHash(left, c), await nodeHash(left, await nodeHash(c, FOURTH))]
  const signed = await tree(one, 3, roots[0])
  const extra = base64(utf8(logged(event(1)).text))
  const proof = `c2sp.org/tlog-proof@v1\nextra ${extra}\nindex 1\n${base64(a)}\n${base64(c)}\n\n${signed}`
  const memory: LogMemory = {
    origin: ORIGIN, keys: [{ text: one.trusted.key.text, from: 0, since: '2026-01-01T00:00:00Z' }],
    compared: '2026-01-02T00:00:00Z',
  }
  good = {
    asked: 'evt_1', event: event(1), seq: 1, beside: { salt: SALT, body: BODY }, proof, newest: signed,
    keys: [one.trusted], tenant: `ten_${TENANT}`, memory, change: keyChange(memory, ORIGIN, [one.trusted]),
    consistency: () => Promise.reject(new Error('nobody asks')),
  }
})

const failing = ({ checks }: Checked) => checks.filter((check) => check.verdict !== 'yes').map((check) => check.name)

const saw = (size: number, root: Bytes): LogMemory => {
  const { origin, keys, compared } = good.memory as LogMemory
  return { origin, keys, compared, longest: { size, root: base64(root), at: 't' } }
}

test('an event that stands in the log as it is shown passes every step', async () => {
  const checked = await checkEvent(good)
  expect(failing(checked)).toEqual([])
  expect(checked.verdict).toBe('yes')
  expect(checked.steps).toHaveLength(2)
  expect(checked.signed?.size).toBe(3)
  expect(checked.checks.map(({ name }) => name), 'of what was never seen nothing is claimed').not.toContain(
    'What this browser saw before',
  )
})

test('who it was by name is no part of the leaf, and once it is erased nobody can tell', async () => {
  const erased = JSON.parse(JSON.stringify({
    ...event(1), actor: { id: 'act_1', type: 'user' }, ip_address: undefined,
  })) as unknown
  const checked = await checkEvent({ ...good, event: erased, beside: null })
  expect(failing(checked)).toEqual(['Name and address'])
  expect(checked.verdict).toBe('open')
  expect((await checkEvent({ ...good, event: erased })).verdict, 'hidden, though it is there').toBe('no')
})

test('a real event in the place of the one that was asked for is refused', async () => {
  const checked = await checkEvent({ ...good, asked: 'evt_2' })
  expect(failing(checked)).toEqual(['Which event'])
  expect(checked.verdict).toBe('no')
})

test.each([
  ['another action', { action: 'execution.failed' }],
  ['another actor', { actor: { id: 'act_2', type: 'user' } }],
  ['a changed detail', { context: { n: 2 } }],
  ['success in the place of failure', { success: false }],
  ['a field more', { note: 'x' }],
  ['another salted hash', { personal: 'cd'.repeat(32) }],
])('%s is refused: the leaf does not lead to the root', async (_, change) => {
  const checked = await checkEvent({ ...good, event: { ...event(1), ...change } })
  expect(checked.verdict).toBe('no')
  expect(butForTheKey(checked)).toBe(false)
  expect(failing(checked)).toContain('Way to the root')
  expect(failing(checked)).toContain('Bytes in the proof file')
})

test('a database that was changed gives the changed bytes in the proof as well, and is refused', async () => {
  const changed = { ...event(1), action: 'execution.failed' }
  const proof = good.proof.replace(/extra .*/, `extra ${base64(utf8(logged(changed).text))}`)
  const checked = await checkEvent({ ...good, event: changed, proof })
  expect(failing(checked)).toEqual(['Way to the root'])
  expect(checked.verdict).toBe('no')
})

test('the event of another place is refused', async () => {
  expect(failing(await checkEvent({ ...good, seq: 2 }))).toEqual(['Place in the log', 'Way to the root'])
})

test('another root under a good signature of somebody else is refused', async () => {
  const forged = await note(another, `${ORIGIN}\n3\n${base64(new Uint8Array(32))}\n`)
  const checked = await checkEvent({ ...good, proof: good.proof.replace(/\n\n[^]*/, `\n\n${forged}`) })
  expect(failing(checked)).toContain('Signature of the proof’s checkpoint')
  expect(checked.verdict).toBe('no')
})

test('a signature that was changed is refused', async () => {
  const changed = (text: string) => text.replace(
    /^(\u2014 \S+ .{20})(.)/m, (_, before: string, char: string) => before + (char === 'A' ? 'B' : 'A'),
  )
  expect(
    failing(await checkEvent({ ...good, proof: changed(good.proof) })),
  ).toEqual(['Signature of the proof’s checkpoint'])
  expect(
    failing(await checkEvent({ ...good, newest: changed(good.newest) })),
  ).toEqual(['Signature of the newest checkpoint'])
})

test('the log of another tenant is refused', async () => {
  expect(failing(await checkEvent({ ...good, tenant: 'ten_other' }))).toEqual(['Which event', 'Which log'])
})

/** The same events under another name of the log, with keys that bear it and are in order themselves. */
async function renamed(): Promise<Given> {
  const origin = `audit.other/${TENANT}`
  const by = await signer(origin)
  const signed = await tree(by, 3, roots[0], origin)
  const proof = good.proof.replace(/\n\n[^]*/, `\n\n${signed}`)
  const { memory } = good
  return { ...good, proof, newest: signed, keys: [by.trusted], change: keyChange(memory, origin, [by.trusted]) }
}

test('a log that took another name does not become a new one', async () => {
  const other = await renamed()
  expect(other.change.state).toBe('changed')
  expect(failing(await checkEvent(other))).toEqual(['Which log', 'The key'])
  expect(failing(await checkEvent({ ...other, keys: good.keys }))).toContain('Signature of the proof’s checkpoint')
})

test('a key that bears another name than the log is none of its keys', async () => {
  const foreign = await signer(`audit.other/${TENANT}`)
  const signed = await tree(foreign, 3, roots[0])
  const proof = good.proof.replace(/\n\n[^]*/, `\n\n${signed}`)
  const checked = await checkEvent({ ...good, proof, newest: signed, keys: [foreign.trusted] })
  expect(failing(checked)).toEqual(['Signature of the proof’s checkpoint', 'Signature of the newest checkpoint'])
  expect(checked.verdict).toBe('no')
})

test('a key that was not in use at this size is refused', async () => {
  const checked = await checkEvent({ ...good, keys: [{ ...one.trusted, to: 2 }] })
  expect(failing(checked)).toEqual(['Signature of the proof’s checkpoint', 'Signature of the newest checkpoint'])
  const again = [{ ...one.trusted, to: 2 }, { ...one.trusted, from: 3 }]
  expect(failing(await checkEvent({ ...good, keys: again })), 'it was put back into use').toEqual([])
})

test('whose key it is, a person says: nobody compared it on the first visit, nor by the second', async () => {
  const none = await checkEvent({ ...good, keys: [], change: keyChange(undefined, ORIGIN, []), memory: undefined })
  expect(none.verdict).toBe('open')
  expect(none.signed).toBeUndefined()
  expect(butForTheKey(none)).toBe(false)
  const known = { ...saw(3, roots[0]), compared: undefined }
  for (const memory of [undefined, known]) {
    const checked = await checkEvent({ ...good, memory, change: keyChange(memory, ORIGIN, [one.trusted]) })
    expect(failing(checked)).toEqual(['The key'])
    expect(checked.verdict).toBe('open')
    expect(butForTheKey(checked)).toBe(true)
    const given = { ...good, memory, change: keyChange(memory, ORIGIN, [one.trusted]), pasted: true }
    expect((await checkEvent(given)).verdict).toBe('yes')
  }
})

test('a server that names no keys any more leaves it open, compared or not', async () => {
  const checked = await checkEvent({ ...good, change: keyChange(good.memory, ORIGIN, []) })
  expect(failing(checked)).toEqual(['The key'])
  expect(checked.verdict).toBe('open')
})

test('keys that changed are an alarm', async () => {
  for (const pasted of [true, false]) {
    const change = keyChange(good.memory, ORIGIN, [another.trusted])
    const checked = await checkEvent({ ...good, change, pasted })
    expect(checked.verdict).toBe('no')
    expect(failing(checked)).toEqual(['The key'])
  }
})

test('a log that became shorter, or was forked, is refused', async () => {
  const other = new Uint8Array(32)
  for (const [size, root] of [[4, roots[1]], [3, other]] as const) {
    const checked = await checkEvent({ ...good, memory: saw(size, root) })
    expect(failing(checked)).toEqual(['What this browser saw before'])
    expect(checked.verdict).toBe('no')
    expect(checked.signed).toBeUndefined()
  }
  const forked = await tree(one, 3, other)
  expect(failing(await checkEvent({ ...good, newest: forked }))).toEqual(['Both checkpoints'])
})

test('a newest checkpoint that is older than the proof’s is refused, though it covers the event', async () => {
  const older = await tree(one, 2, hashes[3] as Bytes)
  const checked = await checkEvent({ ...good, newest: older })
  expect(failing(checked)).toEqual(['Both checkpoints'])
  expect(checked.verdict).toBe('no')
})

test('a log that grew is shown to continue what it was', async () => {
  const asked: string[] = []
  const consistency = (from: number, to: number) => {
    asked.push(`${from} to ${to}`)
    return Promise.resolve(grown())
  }
  const newest = await tree(one, 4, roots[1])
  const checked = await checkEvent({ ...good, newest, memory: saw(3, roots[0]), consistency })
  expect(failing(checked)).toEqual([])
  expect(asked).toEqual(['3 to 4', '3 to 4'])
  expect(checked.signed?.size).toBe(4)
  const alone = await checkpointCheck(newest, { ...good, memory: saw(3, roots[0]), consistency })
  expect(alone.checks.map(({ verdict }) => verdict)).toEqual(['yes', 'yes', 'yes', 'yes'])
  expect(alone.signed?.size).toBe(4)
})

test('growth nobody proves is open, and growth that is proved wrongly refused; neither is remembered', async () => {
  const given = { ...good, newest: await tree(one, 4, roots[1]), memory: saw(3, roots[0]) }
  const steps = ['Both checkpoints', 'What this browser saw before']
  const open = await checkEvent(given)
  expect([failing(open), open.verdict, open.signed]).toEqual([steps, 'open', undefined])
  expect(butForTheKey(open)).toBe(false)
  expect((await checkpointCheck(given.newest, given)).signed).toBeUndefined()
  const longer = `${grown()}${base64(FOURTH)}\n`
  for (const proof of ['', grown().slice(0, 45), longer, '<html>', grown().replace(/./, flip)]) {
    const refused = await checkEvent({ ...given, consistency: () => Promise.resolve(proof) })
    expect([failing(refused), refused.verdict, refused.signed]).toEqual([steps, 'no', undefined])
  }
  const rewritten = { ...given, memory: saw(3, new Uint8Array(32)), consistency: () => Promise.resolve(grown()) }
  expect(failing(await checkEvent(rewritten))).toEqual(['What this browser saw before'])
})

test('an event without a canonical form is refused', async () => {
  const checked = await checkEvent({ ...good, event: { ...event(1), context: { n: 1.5 } } })
  expect(failing(checked)).toEqual(['Canonical bytes'])
})

test('rubbish is refused and breaks nothing', async () => {
  expect((await checkEvent({ ...good, proof: 'x' })).verdict).toBe('no')
  expect((await checkEvent({ ...good, proof: 'c2sp.org/tlog-proof@v1\nindex 1\n\nx' })).verdict).toBe('no')
  expect((await checkEvent({ ...good, newest: 'x' })).verdict).toBe('no')
})

test('a checkpoint by itself', async () => {
  expect((await checkpointCheck(good.newest, good)).signed?.size).toBe(3)
  expect((await checkpointCheck(good.newest, { ...good, memory: saw(9, roots[0]) })).signed).toBeUndefined()
  expect((await checkpointCheck(good.newest, { ...good, keys: [another.trusted] })).checks[0]?.verdict).toBe('no')
  expect((await checkpointCheck(good.newest, { ...good, tenant: 'ten_other' })).signed).toBeUndefined()
  expect((await checkpointCheck('x', good)).checks.map(({ verdict }) => verdict)).toEqual(['no'])
})
