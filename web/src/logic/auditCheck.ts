import { differAt, hex, utf8, type Bytes } from './bytes'
import { logged, NotCanonical } from './canonical'
import { contradicts, shrunk, type KeyChange, type LogMemory } from './logMemory'
import { climb, leafHash, type Step } from './merkle'
import { covers, parseCheckpoint, parseNote, signed, type Checkpoint, type Trusted } from './note'
import { parseProof, type ProofFile } from './tlogProof'

/** One step of the check: it holds, it does not, or nobody here can tell. */
export interface Check {
  name: string
  verdict: 'yes' | 'no' | 'open'
  says: string
  /** What was compared, by name. */
  numbers: [string, string][]
}

/** What is checked. */
export interface Given {
  /** The event as the API gives it. */
  event: unknown
  /** Its place, as the API gives it. */
  seq: number
  /** The proof file. */
  proof: string
  /** The newest checkpoint, a note. */
  newest: string
  /** The keys that are trusted. None: nobody gave any. */
  keys: Trusted[]
  /** How the offered keys stand to those this browser knows. */
  change: KeyChange
  memory?: LogMemory
  /** The id of the tenant, `ten_…`: its log bears it in its name. */
  tenant: string
}

/** What came of it. */
export interface Checked {
  checks: Check[]
  /** All hold; some does not; or none fails and some cannot be told. */
  verdict: Check['verdict']
  bytes?: Bytes
  leaf?: Bytes
  steps?: Step[]
  /** The newest checkpoint, when its signature is good. */
  signed?: Checkpoint
}

/**
 * Checks that an event stands in the signed log just as it is shown: its bytes are made again from
 * what the API says, hashed, led to a root by the proof, and the root is one that a trusted key
 * signed. Nothing of it is taken from the server's word.
 */
export async function checkEvent(given: Given): Promise<Checked> {
  const done: Checked = { checks: [], verdict: 'no' }
  const say = (name: string, verdict: Check['verdict'], says: string, numbers: [string, string][] = []) =>
    done.checks.push({ name, verdict, says, numbers })
  const proof = parseProof(given.proof)
  if (typeof proof === 'string') {
    say('Proof file', 'no', `This is no proof file: ${proof}.`)
    return done
  }
  await ownBytes(given, proof, done, say)
  const note = parseNote(proof.checkpoint)
  const checkpoint = typeof note === 'string' ? undefined : parseCheckpoint(note.text)
  if (typeof note === 'string' || !checkpoint) {
    say('Checkpoint', 'no', `The proof's checkpoint cannot be read${typeof note === 'string' ? `: ${note}` : ''}.`)
    return done
  }
  if (done.leaf) await path(done.leaf, given, proof, checkpoint, done, say)
  log(given, checkpoint, say)
  await signature('Signature of the proof’s checkpoint', proof.checkpoint, given.keys, say)
  await newest(given, checkpoint, done, say)
  key(given, say)
  done.verdict = overall(done.checks)
  return done
}

const KEY = 'The key'

/** Whether everything holds that can be worked out here; whose key it is, people find out by another way. */
export function proved({ checks }: Checked): boolean {
  const holds = ({ name, verdict }: Check) => verdict === 'yes' || (name === KEY && verdict === 'open')
  return checks.length > 0 && checks.every(holds)
}

type Say = (name: string, verdict: Check['verdict'], says: string, numbers?: [string, string][]) => void

/** No when one does not hold, else open when one is open. */
export function overall(checks: Check[]): Check['verdict'] {
  if (checks.some((check) => check.verdict === 'no')) return 'no'
  return checks.every((check) => check.verdict === 'yes') ? 'yes' : 'open'
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

function log(given: Given, checkpoint: Checkpoint, say: Say) {
  const own = checkpoint.origin.endsWith(`/${given.tenant.replace(/^ten_/, '')}`)
  const says = own ? 'The checkpoint is of this tenant’s log.' : 'The checkpoint is of another log.'
  say('Which log', own ? 'yes' : 'no', says, [['log', checkpoint.origin]])
}

/** Checks a note's signatures by the keys that are trusted; a known key's line that is wrong spoils it. */
async function signature(name: string, text: string, keys: Trusted[], say: Say): Promise<boolean> {
  const note = parseNote(text)
  const checkpoint = typeof note === 'string' ? undefined : parseCheckpoint(note.text)
  if (typeof note === 'string' || !checkpoint) {
    say(name, 'no', 'It is no signed checkpoint.')
    return false
  }
  const lines: [string, string][] = note.signatures.map((line) => ['signed as', `${line.name}+${line.id}`])
  if (keys.length === 0) {
    say(name, 'open', 'No key of this log is known here: give one below.', lines)
    return false
  }
  let good = 0
  for (const line of note.signatures) {
    const trusted = keys.find(({ key }) => key.name === line.name && key.id === line.id)
    if (!trusted) continue
    let made: boolean
    try {
      made = await signed(trusted.key, note.text, line.bytes)
    } catch {
      say(
        name, 'open', 'This browser cannot check Ed25519 signatures. Use a newer one, or check the file offline.',
        lines,
      )
      return false
    }
    if (!made) {
      say(name, 'no', `The signature of the key ${line.id} does not hold.`, lines)
      return false
    }
    if (covers(trusted, checkpoint.size)) good += 1
  }
  const others = note.signatures.length - good
  const more = others > 0 ? ` ${others} more by keys that are not known here, a witness’s perhaps.` : ''
  if (good > 0) say(name, 'yes', `The Ed25519 signature holds.${more}`, lines)
  else say(name, 'no', 'None of its signatures is by a key of this log that was in use at this size.', lines)
  return good > 0
}

async function newest(given: Given, checkpoint: Checkpoint, done: Checked, say: Say) {
  const good = await signature('Signature of the newest checkpoint', given.newest, given.keys, say)
  const note = parseNote(given.newest)
  const latest = typeof note === 'string' ? undefined : parseCheckpoint(note.text)
  if (!latest) return
  if (good) done.signed = latest
  const numbers: [string, string][] = [
    ['events in the newest', `${latest.size}`], ['events in the proof’s', `${checkpoint.size}`],
  ]
  const name = 'Both checkpoints'
  if (latest.origin !== checkpoint.origin) {
    say(name, 'no', 'They are of different logs.', numbers)
  } else if (latest.size === checkpoint.size) {
    const one = differAt(latest.root, checkpoint.root) === undefined
    say(
      name, one ? 'yes' : 'no', one ? 'They are the same.' : 'Same size, different roots: the log was forked.', numbers,
    )
  } else if (latest.size < checkpoint.size && given.seq >= latest.size) {
    say(name, 'no', 'The newest checkpoint is older than this event’s.', numbers)
  } else {
    const more = 'That the longer one continues the shorter is checked by `countersign audit verify`.'
    say(name, 'yes', `The log grew between them. ${more}`, numbers)
  }
  const { memory } = given
  const against = shrunk(memory, latest) ?? contradicts(memory, latest) ?? contradicts(memory, checkpoint)
  const seen = memory?.longest
  const saw: [string, string][] = seen ? [['seen before', `${seen.size} events`], ['when', seen.at]] : []
  if (against) say('What this browser saw before', 'no', `Contradiction: ${against}.`, saw)
  else say(
    'What this browser saw before', 'yes', seen ? 'Nothing here contradicts it.' : 'It saw nothing of this log before.',
    saw,
  )
}

function key({ keys, change, memory }: Given, say: Say) {
  const name = KEY
  const numbers: [string, string][] = memory?.keys.map(({ text, since }) => [`known since ${since}`, text]) ?? []
  if (keys.length === 0) {
    say(name, 'open', 'Without the log’s public key a signature says nothing.', numbers)
  } else if (change.state === 'first') {
    say(name, 'open', 'Seen for the first time: compare its fingerprint with whoever runs the deployment.', numbers)
  } else if (change.state === 'changed') {
    say(name, 'no', `The log’s keys changed: ${change.fresh.length} new, ${change.gone.length} gone.`, numbers)
  } else {
    const compared = memory?.compared ? ` Somebody compared the fingerprint on ${memory.compared.slice(0, 10)}.` : ''
    say(name, 'yes', `The same as before in this browser.${compared}`, numbers)
  }
}

/** Checks a checkpoint by itself: its signature, and that it does not contradict what was seen before. */
export async function signatureOf(
  note: string, keys: Trusted[], memory: LogMemory | undefined,
): Promise<{ checks: Check[]; signed?: Checkpoint }> {
  const checks: Check[] = []
  const say: Say = (name, verdict, says, numbers = []) => checks.push({ name, verdict, says, numbers })
  const good = await signature('Signature', note, keys, say)
  const parsed = parseNote(note)
  const checkpoint = typeof parsed === 'string' ? undefined : parseCheckpoint(parsed.text)
  if (!checkpoint) return { checks }
  const against = shrunk(memory, checkpoint) ?? contradicts(memory, checkpoint)
  if (against) say('What this browser saw before', 'no', `Contradiction: ${against}.`)
  return good && !against ? { checks, signed: checkpoint } : { checks }
}
