import { differAt, hex, utf8, type Bytes } from './bytes'
import { isObject, logged, NotCanonical } from './canonical'
import {
  claims, continues, KEY, noting, seenBefore, signature, whichLog, whoseKey, type Against, type Check, type Say,
} from './checkpointCheck'
import { climb, leafHash, type Step } from './merkle'
import { parseNote, type Checkpoint } from './note'
import { personalCheck, type Beside } from './personalCheck'
import { parseProof, type ProofFile } from './tlogProof'

/** What is checked. */
export interface Given extends Against {
  /** The id of the event that was asked for. */
  asked: string
  /** The event as the API gives it. */
  event: unknown
  /** Its place, as the API gives it. */
  seq: number
  /** What is kept beside it, as the API gives it. */
  beside?: Beside | null
  /** The proof file. */
  proof: string
  /** The newest checkpoint, a note. */
  newest: string
}

/** What came of it. */
export interface Checked {
  checks: Check[]
  /** All hold; some does not; or none fails and some cannot be told. */
  verdict: Check['verdict']
  bytes?: Bytes
  leaf?: Bytes
  steps?: Step[]
  /** The newest checkpoint, when its signature is good and it continues what was seen. */
  signed?: Checkpoint
}

/**
 * Checks that an event stands in the signed log just as it is shown: its bytes are made again from
 * what the API says, hashed, led to a root by the proof, and the root is one that a trusted key
 * signed. Nothing of it is taken from the server's word.
 */
export async function checkEvent(given: Given): Promise<Checked> {
  const { checks, say } = noting()
  const done: Checked = { checks, verdict: 'no' }
  const proof = parseProof(given.proof)
  if (typeof proof === 'string') {
    say('Proof file', 'no', `This is no proof file: ${proof}.`)
    return done
  }
  await ownBytes(given, proof, done, say)
  whichEvent(given, say)
  await personalCheck(given.event, given.beside, say)
  const checkpoint = claims(proof.checkpoint)
  if (!checkpoint) {
    const note = parseNote(proof.checkpoint)
    say('Checkpoint', 'no', `The proof's checkpoint cannot be read${typeof note === 'string' ? `: ${note}` : ''}.`)
    return done
  }
  if (done.leaf) await path(done.leaf, given, proof, checkpoint, done, say)
  whichLog(given, checkpoint, say)
  await signature('Signature of the proof’s checkpoint', proof.checkpoint, given.keys, say)
  await newest(given, checkpoint, done, say)
  whoseKey(given, say)
  done.verdict = overall(checks)
  return done
}

/** Whether everything holds but that nobody told whose key it is, which people find out by another way. */
export function butForTheKey({ checks }: Checked): boolean {
  const holds = ({ name, verdict }: Check) => verdict === (name === KEY ? 'open' : 'yes')
  return checks.some(({ name }) => name === KEY) && checks.every(holds)
}

/** No when one does not hold, else open when one is open or there is none. */
export function overall(checks: Check[]): Check['verdict'] {
  if (checks.some((check) => check.verdict === 'no')) return 'no'
  return checks.length > 0 && checks.every((check) => check.verdict === 'yes') ? 'yes' : 'open'
}

async function ownBytes({ event, seq }: Given, proof: ProofFile, done: Checked, say: Say) {
  try {
    const { text, beside } = logged(event)
    done.bytes = utf8(text)
    const without = beside.length > 0 ? ` without ${beside.join(', ')}, which are kept beside the log` : ''
    say('Canonical bytes', 'yes', `Made again here from what is shown${without}.`, [['bytes', `${done.bytes.length}`]])
  } catch (error) {
    const why = error instanceof NotCanonical ? error.message : String(error)
    say('Canonical bytes', 'no', `What is shown has no canonical form, so it cannot be what was logged (${why}).`)
    return
  }
  if (!proof.event) {
    say('Bytes in the proof file', 'open', 'The file does not carry the event.')
  } else {
    const at = differAt(proof.event, done.bytes)
    const numbers: [string, string][] = [['bytes in the file', `${proof.event.length}`]]
    if (at === undefined) say('Bytes in the proof file', 'yes', 'The same, byte for byte.', numbers)
    else say('Bytes in the proof file', 'no', `They differ from byte ${at} on.`, numbers)
  }
  const here = proof.index === seq
  const places: [string, string][] = [['shown as', `${seq}`], ['in the proof', `${proof.index}`]]
  say(
    'Place in the log', here ? 'yes' : 'no', here ? 'The proof is about this place.' : 'The proof is of another place.',
    places,
  )
  done.leaf = await leafHash(done.bytes)
  say('Leaf hash', 'yes', 'SHA-256 of a zero byte and the canonical bytes.', [['leaf', hex(done.leaf)]])
}

/** The signed bytes say which event of whom they are: another real one is not what was asked for. */
function whichEvent({ asked, event, tenant }: Given, say: Say) {
  const { event_id: id, tenant_id: whose } = isObject(event) ? event : {}
  const own = id === asked && whose === tenant
  const says = own ? 'It is the event that was asked for.' : 'It is not the event that was asked for.'
  say('Which event', own ? 'yes' : 'no', says, [
    ['asked for', `${asked} of ${tenant}`], ['signed', `${String(id ?? 'no id')} of ${String(whose ?? 'nobody')}`],
  ])
}

async function path(leaf: Bytes, given: Given, proof: ProofFile, checkpoint: Checkpoint, done: Checked, say: Say) {
  const way = await climb(leaf, given.seq, checkpoint.size, proof.hashes)
  if ('refused' in way) {
    say('Way to the root', 'no', `The proof is refused: ${way.refused}.`)
    return
  }
  done.steps = way.steps
  const at = differAt(way.root, checkpoint.root)
  const says = at === undefined
    ? `${proof.hashes.length} hashes lead from this leaf to the root of the checkpoint.`
    : 'The hashes do not lead to the root that was signed: the event is not what was logged.'
  say('Way to the root', at === undefined ? 'yes' : 'no', says, [
    ['events in the tree', `${checkpoint.size}`], ['computed root', hex(way.root)],
    ['signed root', hex(checkpoint.root)],
  ])
}

async function newest(given: Given, checkpoint: Checkpoint, done: Checked, say: Say) {
  const good = await signature('Signature of the newest checkpoint', given.newest, given.keys, say)
  const latest = claims(given.newest)
  if (!latest) return
  const name = 'Both checkpoints'
  if (latest.origin !== checkpoint.origin) {
    say(name, 'no', 'They are of different logs.', [['log of the newest', latest.origin]])
    return
  }
  await continues(name, checkpoint, latest, given, say, [
    ['events in the newest', `${latest.size}`], ['events in the proof’s', `${checkpoint.size}`],
  ])
  const continued = await seenBefore(given, latest, say)
  if (good && continued) done.signed = latest
}
