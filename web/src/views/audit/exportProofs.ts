import { api, type Schema } from '../../api/client'
import { asProblem } from '../../api/problem'
import { utf8, type Bytes } from '../../logic/bytes'
import { zip, type ZipFile } from '../../logic/zip'
import { fileName } from '../../parts/saveFile'
import { proofOf } from './proofOf'

/** Proofs of one archive at most. */
export const MOST_PROOFS = 500
const PAGE = 100
/** Proofs asked for at the same time. */
const LANES = 4

/** What was taken. */
export interface Exported {
  archive: Bytes
  name: string
  proofs: number
  /** Events that no checkpoint covers yet. */
  unsigned: number
  /** There are more events than are in it. */
  more: boolean
}

type Filter = Record<string, string | undefined>

/** Says how far it is. */
type Tell = (done: number, all: number) => void

/**
 * Gathers the proofs of the newest events that meet a filter into an archive. When one fails, or `stop`
 * says so, nothing more is asked for, and nothing more told.
 */
export async function exportProofs(filter: Filter, stop: AbortSignal, tell: Tell): Promise<Exported> {
  const failed = new AbortController()
  const end = AbortSignal.any([stop, failed.signal])
  try {
    return await gather(filter, end, (done, all) => {
      if (!end.aborted) tell(done, all)
    })
  } catch (error) {
    failed.abort()
    throw error
  }
}

async function gather(filter: Filter, stop: AbortSignal, tell: Tell): Promise<Exported> {
  const { events, more } = await wanted(filter, stop)
  tell(0, events.length)
  const files: ZipFile[] = []
  let [next, done, unsigned] = [0, 0, 0]
  const lane = async () => {
    for (let event = events[next]; event; event = events[next]) {
      stop.throwIfAborted()
      next += 1
      try {
        const proof = await proofOf(event.id, stop)
        const place = String(event.seq).padStart(9, '0')
        files.push({ name: fileName(`${place}-${event.id}.tlog-proof`), content: utf8(proof) })
      } catch (error) {
        if (asProblem(error).code !== 'not_signed_yet') throw error
        unsigned += 1
      }
      done += 1
      tell(done, events.length)
    }
  }
  await Promise.all(Array.from({ length: LANES }, lane))
  files.sort((one, other) => one.name.localeCompare(other.name))
  const at = new Date()
  const proofs = files.length
  files.unshift({ name: 'README.txt', content: utf8(readme(filter, at, proofs)) })
  const name = `audit-proofs-${at.toISOString().slice(0, 19).replaceAll(':', '')}.zip`
  return { archive: zip(files, at), name, proofs, unsigned, more }
}

async function wanted(filter: Filter, stop: AbortSignal): Promise<{ events: Schema<'EventOut'>[]; more: boolean }> {
  const events: Schema<'EventOut'>[] = []
  let cursor: string | undefined
  do {
    const query = { ...filter, limit: PAGE, cursor }
    const { data } = await api.GET('/api/v1/audit/events', { params: { query }, signal: stop })
    events.push(...(data?.items ?? []))
    cursor = data?.next_cursor ?? undefined
  } while (cursor && events.length < MOST_PROOFS)
  return { events: events.slice(0, MOST_PROOFS), more: cursor !== undefined || events.length > MOST_PROOFS }
}

function readme(filter: Filter, at: Date, proofs: number): string {
  const by = Object.entries(filter).flatMap(([name, value]) => (value ? [`${name}: ${value}`] : []))
  return [
    `${proofs} proofs of events of a Countersign audit log, taken ${at.toISOString()}.`,
    by.length > 0 ? `Of events with ${by.join(', ')}.` : 'Of the newest events.',
    '',
    'Each file is in the format C2SP tlog-proof: the event, its inclusion proof, a signed checkpoint.',
    'Check one offline, with the keys that whoever runs the deployment published:',
    '',
    '    countersign audit verify --proof FILE --keys KEYS',
    '',
  ].join('\n')
}
