import { same } from './bytes'
import { longestSeen, type KeyChange, type LogMemory } from './logMemory'
import { discontinued, type Tree } from './merkle'
import { covers, parseCheckpoint, parseNote, signed, type Checkpoint, type Trusted } from './note'
import { parseHashes } from './tlogProof'

/** One step of the check: it holds, it does not, or nobody here can tell. */
export interface Check {
  name: string
  verdict: 'yes' | 'no' | 'open'
  says: string
  /** What was compared, by name. */
  numbers: [string, string][]
}

/** Takes note of one step. */
export type Say = (name: string, verdict: Check['verdict'], says: string, numbers?: [string, string][]) => void

/** Steps, and what takes note of them. */
export function noting(): { checks: Check[]; say: Say } {
  const checks: Check[] = []
  return { checks, say: (name, verdict, says, numbers = []) => checks.push({ name, verdict, says, numbers }) }
}

/** What a checkpoint is held against. */
export interface Against {
  /** The keys that are trusted. None: nobody gave any. */
  keys: Trusted[]
  /** How the offered keys stand to those this browser knows. */
  change: KeyChange
  memory?: LogMemory
  /** Somebody gave the keys from elsewhere. */
  pasted?: boolean
  /** The id of the tenant, `ten_…`: its log bears it in its name. */
  tenant: string
  /** Fetches the proof that the log of `to` events continues that of `from`; throws when there is none to be had. */
  consistency: (from: number, to: number) => Promise<string>
}

/** The step about whose key it is, which people settle. */
export const KEY = 'The key'
const SEEN = 'What this browser saw before'

/** What a note says of its log, before anybody vouched for it; none when it is no checkpoint. */
export function claims(note: string): Checkpoint | undefined {
  const parsed = parseNote(note)
  return typeof parsed === 'string' ? undefined : parseCheckpoint(parsed.text)
}

/** Whether a checkpoint is of this tenant's log, under the name it had before. */
export function whichLog({ tenant, memory }: Against, checkpoint: Checkpoint, say: Say) {
  const name = 'Which log'
  const numbers: [string, string][] = [['log', checkpoint.origin]]
  if (!checkpoint.origin.endsWith(`/${tenant.replace(/^ten_/, '')}`)) {
    say(name, 'no', 'The checkpoint is of another log.', numbers)
  } else if (memory && memory.origin !== checkpoint.origin) {
    say(name, 'no', 'This browser knows the log under another name.', [...numbers, ['known as', memory.origin]])
  } else {
    say(name, 'yes', 'The checkpoint is of this tenant’s log.', numbers)
  }
}

/**
 * Checks a note's signatures by the keys that are trusted and bear the name of its log; a known key's
 * line that is wrong spoils it.
 */
export async function signature(name: string, text: string, keys: Trusted[], say: Say): Promise<boolean> {
  const note = parseNote(text)
  const checkpoint = claims(text)
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
    // A key that was put back into use stands there more than once.
    const own = keys.filter(
      ({ key }) => key.name === checkpoint.origin && key.name === line.name && key.id === line.id,
    )
    for (const key of new Set(own.map((trusted) => trusted.key))) {
      let made: boolean
      try {
        made = await signed(key, note.text, line.bytes)
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
    }
    if (own.some((trusted) => covers(trusted, checkpoint.size))) good += 1
  }
  const others = note.signatures.length - good
  const more = others > 0 ? ` ${others} more by keys that are not known here, a witness’s perhaps.` : ''
  if (good > 0) say(name, 'yes', `The Ed25519 signature holds.${more}`, lines)
  else say(name, 'no', 'None of its signatures is by a key of this log that was in use at this size.', lines)
  return good > 0
}

/** Checks that the log `now` begins with the log `old`, by the proof that is fetched for it. */
export async function continues(
  name: string, old: Tree, now: Tree, { consistency }: Against, say: Say, numbers: [string, string][],
): Promise<boolean> {
  if (now.size < old.size) {
    say(name, 'no', `The newest has ${now.size} events and had ${old.size} before: events are missing.`, numbers)
    return false
  }
  if (now.size === old.size) {
    const one = same(now.root, old.root)
    const forked = `Two logs of ${now.size} events with different roots: it was forked or rewritten.`
    say(name, one ? 'yes' : 'no', one ? 'The same size and the same root.' : forked, numbers)
    return one
  }
  let proof: string
  try {
    proof = await consistency(old.size, now.size)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    say(
      name, 'open',
      `The log grew, and the proof that the longer one begins with the shorter could not be fetched (${why}).`, numbers,
    )
    return false
  }
  const hashes = parseHashes(proof)
  const refused = hashes ? await discontinued(old, now, hashes) : 'a line of it is no hash'
  if (refused === undefined) {
    say(name, 'yes', `${hashes?.length} hashes show that the longer one begins with the shorter.`, numbers)
  } else {
    say(name, 'no', `The log is not shown to continue what it was: the proof is refused, ${refused}.`, numbers)
  }
  return refused === undefined
}

/** Checks the newest checkpoint against the longest log this browser saw; without one nothing is claimed. */
export async function seenBefore(against: Against, newest: Checkpoint, say: Say): Promise<boolean> {
  const seen = longestSeen(against.memory)
  if (!seen) return true
  return continues(SEEN, seen, newest, against, say, [
    ['seen before', `${seen.size} events`], ['when', seen.at], ['events in the newest', `${newest.size}`],
  ])
}

/** Whose key it is: yes only when a person compared it, or gave it. */
export function whoseKey({ keys, change, memory, pasted }: Against, say: Say) {
  const numbers: [string, string][] = memory?.keys.map(({ text, since }) => [`known since ${since}`, text]) ?? []
  if (change.state === 'changed') {
    const { fresh, gone, renamed } = change
    const name = renamed ? ' The log bears another name.' : ''
    say(KEY, 'no', `The log’s keys changed: ${fresh.length} new, ${gone.length} gone.${name}`, numbers)
  } else if (keys.length === 0) {
    say(KEY, 'open', 'Without the log’s public key a signature says nothing: give it below.', numbers)
  } else if (change.state === 'unnamed') {
    say(KEY, 'open', 'The server names no key any more; the check went by those it named before.', numbers)
  } else if (pasted) {
    say(KEY, 'yes', 'The one that was given here, from elsewhere than this server.', numbers)
  } else if (change.state === 'known' && memory?.compared) {
    say(
      KEY, 'yes', `The same as before, and somebody compared the fingerprint on ${memory.compared.slice(0, 10)}.`,
      numbers,
    )
  } else {
    const seen = change.state === 'first' ? 'Seen for the first time' : 'The same as before in this browser'
    say(
      KEY, 'open',
      `${seen}, and nobody compared it: compare its fingerprint, below, with whoever runs the deployment, and say so.`,
      numbers,
    )
  }
}

/** Checks a checkpoint by itself. It is given back when its signature is good and it continues what was seen. */
export async function checkpointCheck(
  note: string, against: Against,
): Promise<{ checks: Check[]; signed?: Checkpoint }> {
  const { checks, say } = noting()
  const good = await signature('Signature', note, against.keys, say)
  const checkpoint = claims(note)
  if (!checkpoint) return { checks }
  whichLog(against, checkpoint, say)
  await seenBefore(against, checkpoint, say)
  whoseKey(against, say)
  const others = checks.every(({ name, verdict }) => name === KEY || verdict === 'yes')
  return good && others ? { checks, signed: checkpoint } : { checks }
}
