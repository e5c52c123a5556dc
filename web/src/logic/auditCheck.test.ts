import { beforeAll, expect, test } from 'vitest'
import { checkEvent, proved, signatureOf, type Checked, type Given } from './auditCheck'
import { base64, joined, unhex, utf8, type Bytes } from './bytes'
import { logged } from './canonical'
import { keyChange } from './logMemory'
import { leafHash, nodeHash } from './merkle'
import { keyId, parseKey, type Trusted } from './note'

const TENANT = '018f0000-0000-7000-8000-000000000001'
const ORIGIN = `audit.test/${TENANT}`

interface Signer {
  pair: CryptoKeyPair
  trusted: Trusted
}

async function signer(): Promise<Signer> {
  const pair = await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify'])
  const raw = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey))
  const id = await keyId(ORIGIN, raw)
  const key = await parseKey(`${ORIGIN}+${id}+${base64(joined(new Uint8Array([1]), raw))}`)
  if (!key) throw new Error('the key is its own')
  return { pair, trusted: { key, from: 0 } }
}

async function note(by: Signer, text: string): Promise<string> {
  const made = new Uint8Array(await crypto.subtle.sign('Ed25519', by.pair.privateKey, utf8(text)))
  const { name, id } = by.trusted.key
  return `${text}\n\u2014 ${name} ${base64(joined(unhex(id) ?? new Uint8Array(), made))}\n`
}

const event = (n: number) => ({
  v: 1, event_id: `evt_${n}`, action: 'execution.completed', occurred_at: '2026-01-01T00:00:00.000000Z', success: true,
  actor: { id: 'act_1', type: 'user', display_name: 'Ada' }, personal: 'ab'.repeat(32), ip_address: '192.0.2.1',
  target: { type: 'execution', id: 'exe_1' }, context: { n }, evidence_refs: [], tenant_id: `ten_${TENANT}`,
})

let one: Signer
let another: Signer
let good: Given

beforeAll(async () => {
  one = await signer()
  another = await signer()
  const leaves = await Promise.all([0, 1, 2].map((n) => leafHash(utf8(logged(event(n)).text))))
  const [a, b, c] = leaves as [Bytes, Bytes, Bytes]
  const root = await nodeHash(await nodeHash(a, b), c)
  const signed = await note(one, `${ORIGIN}\n3\n${base64(root)}\n`)
  const extra = base64(utf8(logged(event(1)).text))
  const proof = `c2sp.org/tlog-proof@v1\nextra ${extra}\nindex 1\n${base64(a)}\n${base64(c)}\n\n${signed}`
  const memory = { keys: [{ text: one.trusted.key.text, since: '2026-01-01T00:00:00Z' }] }
  good = {
    event: event(1), seq: 1, proof, newest: signed, keys: [one.trusted], tenant: `ten_${TENANT}`, memory,
    change: keyChange(memory, [one.trusted.key.text]),
  }
})

const failing = ({ checks }: Checked) => checks.filter((check) => check.verdict !== 'yes').map((check) => check.name)

test('an event that stands in the log as it is shown passes every step', async () => {
  const checked = await checkEvent(good)
  expect(failing(checked)).toEqual([])
  expect(checked.verdict).toBe('yes')
  expect(proved(checked)).toBe(true)
  expect(checked.steps).toHaveLength(2)
  expect(checked.signed?.size).toBe(3)
})

test('who it was by name is no part of the leaf', async () => {
  const erased = { ...event(1), actor: { id: 'act_1', type: 'user' }, ip_address: undefined }
  expect((await checkEvent({ ...good, event: JSON.parse(JSON.stringify(erased)) })).verdict).toBe('yes')
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
  expect(proved(checked)).toBe(false)
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
  expect(failing(await checkEvent({ ...good, tenant: 'ten_other' }))).toEqual(['Which log'])
})

test('a key that was not in use at this size is refused', async () => {
  const checked = await checkEvent({ ...good, keys: [{ ...one.trusted, to: 2 }] })
  expect(failing(checked)).toEqual(['Signature of the proof’s checkpoint', 'Signature of the newest checkpoint'])
})

test('without a key, and with one seen for the first time, nobody can tell', async () => {
  const none = await checkEvent({ ...good, keys: [], change: keyChange(undefined, []), memory: undefined })
  expect(none.verdict).toBe('open')
  expect(none.signed).toBeUndefined()
  expect(proved(none)).toBe(false)
  const first = await checkEvent({ ...good, memory: undefined, change: keyChange(undefined, [one.trusted.key.text]) })
  expect(failing(first)).toEqual(['The key'])
  expect(first.verdict).toBe('open')
  expect(proved(first)).toBe(true)
})

test('keys that changed are an alarm', async () => {
  const checked = await checkEvent({ ...good, change: keyChange(good.memory, [another.trusted.key.text]) })
  expect(checked.verdict).toBe('no')
  expect(failing(checked)).toEqual(['The key'])
})

test('a log that became shorter, or was forked, is refused', async () => {
  const root = base64(new Uint8Array(32))
  for (const longest of [{ size: 4, root, at: 't' }, { size: 3, root, at: 't' }]) {
    const checked = await checkEvent({ ...good, memory: { keys: good.memory?.keys ?? [], longest } })
    expect(failing(checked)).toEqual(['What this browser saw before'])
  }
  const other = await note(one, `${ORIGIN}\n3\n${root}\n`)
  expect(failing(await checkEvent({ ...good, newest: other }))).toEqual(['Both checkpoints'])
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
  expect((await signatureOf(good.newest, good.keys, good.memory)).signed?.size).toBe(3)
  const longest = { size: 9, root: base64(new Uint8Array(32)), at: 't' }
  expect((await signatureOf(good.newest, good.keys, { keys: [], longest })).signed).toBeUndefined()
  expect((await signatureOf(good.newest, [another.trusted], undefined)).checks[0]?.verdict).toBe('no')
})
