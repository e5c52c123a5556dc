import { unbase64, type Bytes } from './bytes'
import { decimal } from './note'

const HEADER = 'c2sp.org/tlog-proof@v1'

/** A `.tlog-proof` file (C2SP tlog-proof): one event and what shows that it was logged. */
export interface ProofFile {
  /** The event's canonical bytes, when the file carries them. */
  event?: Bytes
  /** Its place in the log, from 0. */
  index: number
  /** The hashes beside its way to the root, from below. */
  hashes: Bytes[]
  /** The signed checkpoint, as a note. */
  checkpoint: string
}

/** Reads a proof file; a text says what is wrong with it. */
export function parseProof(text: string): ProofFile | string {
  const cut = text.indexOf('\n\n')
  if (cut < 0) return 'it has no checkpoint'
  const lines = text.slice(0, cut).split('\n')
  if (lines.shift() !== HEADER) return 'its first line names another format'
  let event: Bytes | undefined
  if (lines[0]?.startsWith('extra ')) {
    event = unbase64(lines.shift()?.slice('extra '.length) ?? '')
    if (!event) return 'the event in it is no base64'
  }
  const second = lines.shift() ?? ''
  const index = second.startsWith('index ') ? decimal(second.slice('index '.length)) : undefined
  if (index === undefined) return 'the place of the event is missing'
  const hashes = hashesOf(lines)
  if (!hashes) return 'a line of the proof is no hash'
  return { event, index, hashes, checkpoint: text.slice(cut + 2) }
}

/** Reads the hashes of a consistency proof, each on a line of its own; none when one is no hash. */
export function parseHashes(text: string): Bytes[] | undefined {
  if (text === '') return []
  return text.endsWith('\n') ? hashesOf(text.slice(0, -1).split('\n')) : undefined
}

function hashesOf(lines: string[]): Bytes[] | undefined {
  const hashes: Bytes[] = []
  for (const line of lines) {
    const hash = unbase64(line)
    if (hash?.length !== 32) return undefined
    hashes.push(hash)
  }
  return hashes
}
