import { beforeEach, expect, test, vi } from 'vitest'
import { Problem } from '../../api/problem'
import { exportProofs } from './exportProofs'
import { proofOf } from './proofOf'

const EVENTS = 12

vi.mock('../../api/client', () => ({
  api: {
    GET: () => {
      const items = Array.from({ length: EVENTS }, (_, seq) => ({ id: `evt_${seq}`, seq }))
      return Promise.resolve({ data: { items } })
    },
  },
}))
vi.mock('./proofOf', () => ({ proofOf: vi.fn() }))

const asked = vi.mocked(proofOf)
let told: string[]
const tell = (done: number, all: number) => void told.push(`${done} of ${all}`)
/** Lets every step that can be made be made. */
const settled = () => new Promise((done) => setTimeout(done, 20))

beforeEach(() => {
  told = []
  asked.mockReset()
})

test('all proofs are taken, and what is not signed yet is counted', async () => {
  asked.mockImplementation((id) =>
    id === 'evt_3' ? Promise.reject(new Problem(409, { code: 'not_signed_yet' })) : Promise.resolve('proof'))
  const exported = await exportProofs({}, new AbortController().signal, tell)
  expect([exported.proofs, exported.unsigned, exported.more]).toEqual([EVENTS - 1, 1, false])
  expect(told.at(-1)).toBe(`${EVENTS} of ${EVENTS}`)
})

test('when one fails, the others end and nothing more is told', async () => {
  const others: (() => void)[] = []
  const signals = new Set<AbortSignal>()
  asked.mockImplementation((id, signal) => {
    if (signal) signals.add(signal)
    if (id === 'evt_0') return Promise.reject(new Problem(500))
    return new Promise((done) => others.push(() => done('proof')))
  })
  await expect(exportProofs({}, new AbortController().signal, tell)).rejects.toThrow()
  expect([...signals].every((signal) => signal.aborted)).toBe(true)
  const [calls, before] = [asked.mock.calls.length, told.length]
  others.forEach((done) => done())
  await settled()
  expect([asked.mock.calls.length, told.length]).toEqual([calls, before])
})

test('who stops it is asked for no more, and told no more', async () => {
  const stopping = new AbortController()
  const waiting: (() => void)[] = []
  asked.mockImplementation(() => new Promise((done) => waiting.push(() => done('proof'))))
  const exporting = exportProofs({}, stopping.signal, tell)
  await settled()
  const [calls, before] = [asked.mock.calls.length, told.length]
  stopping.abort()
  waiting.forEach((done) => done())
  await expect(exporting).rejects.toThrow()
  await settled()
  expect([asked.mock.calls.length, told.length]).toEqual([calls, before])
})
