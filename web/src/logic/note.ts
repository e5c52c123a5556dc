import { hex, joined, sha256, unbase64, utf8, type Bytes } from './bytes'

/** The type byte of plain Ed25519 signatures in signed notes. */
const ED25519 = 1
/** The most signature lines of a note, and its most bytes, as the server has them. */
const MOST_LINES = 16
const MOST_BYTES = 128 * 1024

/** One signature line. */
export interface SignatureLine {
  /** The name of the key. */
  name: string
  /** The short id of the key: 8 hexadecimal digits. */
  id: string
  bytes: Bytes
}

/** A signed note (C2SP signed-note). Its text means nothing before a signature was checked. */
export interface Note {
  text: string
  signatures: SignatureLine[]
}

/** What a log says about itself (C2SP tlog-checkpoint). */
export interface Checkpoint {
  /** Which log. */
  origin: string
  /** How many entries it had. */
  size: number
  /** The root of its tree. */
  root: Bytes
}

/** The public half of a key that signs checkpoints. */
export interface VerifierKey {
  /** As it is written: `name+id+base64`. */
  text: string
  name: string
  id: string
  key: Bytes
}

/** A key and the sizes of the log it may sign. */
export interface Trusted {
  key: VerifierKey
  from: number
  /** None while it is in use. */
  to?: number
}

/** Reads a signed note; a text says what is wrong with it. */
export function parseNote(text: string): Note | string {
  if (utf8(text).length > MOST_BYTES) return 'it is too long'
  if (/[\u0000-\u0009\u000b-\u001f]/.test(text)) return 'it has control characters'
  const cut = text.lastIndexOf('\n\n')
  if (cut < 0) return 'it has no signatures'
  const lines = text.slice(cut + 2)
  if (!lines.endsWith('\n')) return 'its last line has no end'
  const signatures: SignatureLine[] = []
  for (const line of lines.slice(0, -1).split('\n')) {
    const signature = signatureLine(line)
    if (!signature) return 'a signature line has the wrong form'
    signatures.push(signature)
  }
  if (signatures.length > MOST_LINES) return 'it has too many signatures'
  return { text: text.slice(0, cut + 1), signatures }
}

function signatureLine(line: string): SignatureLine | undefined {
  const parts = line.split(' ')
  const [dash, name, encoded] = parts
  if (parts.length !== 3 || dash !== '\u2014' || !name || !encoded || !nameOfKey(name)) return undefined
  const bytes = unbase64(encoded)
  if (!bytes || bytes.length < 5) return undefined
  return { name, id: hex(bytes.subarray(0, 4)), bytes: bytes.slice(4) }
}

/** Whether a key may bear this name. */
function nameOfKey(name: string): boolean {
  return name !== '' && !/[+\s\p{Cc}]/u.test(name)
}

/** Reads the text of a checkpoint; none when it is none. */
export function parseCheckpoint(text: string): Checkpoint | undefined {
  const [origin, size, root, end, ...more] = text.split('\n')
  if (!origin || size === undefined || root === undefined || end !== '' || more.length > 0) return undefined
  const entries = decimal(size)
  const hash = unbase64(root)
  if (entries === undefined || hash?.length !== 32) return undefined
  return { origin, size: entries, root: hash }
}

/** A number in the one form the formats allow: digits, no leading zero. */
export function decimal(text: string): number | undefined {
  if (!/^(0|[1-9]\d*)$/.test(text)) return undefined
  const number = Number(text)
  return Number.isSafeInteger(number) ? number : undefined
}

/** The first four bytes of SHA-256(name ‖ "\n" ‖ type ‖ key), as hexadecimal digits. */
export async function keyId(name: string, key: Bytes): Promise<string> {
  const digest = await sha256(joined(utf8(`${name}\n`), new Uint8Array([ED25519]), key))
  return hex(digest.subarray(0, 4))
}

/** Reads a verifier key, `name+id+base64`, and checks that the id is its own. */
export async function parseKey(text: string): Promise<VerifierKey | undefined> {
  const parts = /^([^+]+)\+([\da-f]{8})\+(.+)$/.exec(text)
  const [, name, id, encoded] = parts ?? []
  if (!name || !id || !encoded || !nameOfKey(name)) return undefined
  const typed = unbase64(encoded)
  if (typed?.length !== 33 || typed[0] !== ED25519) return undefined
  const key = typed.slice(1)
  return (await keyId(name, key)) === id ? { text, name, id, key } : undefined
}

/**
 * Reads the keys of a log, a line each: `<verifier key> <from> <to>`, `-` for a key in use; a key
 * alone counts for every size. Gives the keys, and the numbers of the lines that are none.
 */
export async function parsePolicy(text: string): Promise<{ trusted: Trusted[]; wrong: number[] }> {
  const trusted: Trusted[] = []
  const wrong: number[] = []
  for (const [at, line] of text.split('\n').entries()) {
    const words = line.trim().split(/\s+/)
    if (words[0] === '' || words[0]?.startsWith('#')) continue
    const key = await parseKey(words[0] ?? '')
    const from = words.length === 1 ? 0 : decimal(words[1] ?? '')
    const to = words.length === 1 || words[2] === '-' ? undefined : decimal(words[2] ?? '')
    const whole = words.length === 1 || (words.length === 3 && (words[2] === '-' || to !== undefined))
    if (key && from !== undefined && whole) trusted.push({ key, from, to })
    else wrong.push(at + 1)
  }
  return { trusted, wrong }
}

/** Whether a key may sign a log of this size. */
export function covers(trusted: Trusted, size: number): boolean {
  return size >= trusted.from && (trusted.to === undefined || size <= trusted.to)
}

/** Whether a key made a signature over a text, by the browser. Throws where the browser knows no Ed25519. */
export async function signed(key: VerifierKey, text: string, signature: Bytes): Promise<boolean> {
  if (signature.length !== 64) return false
  const known = await crypto.subtle.importKey('raw', key.key, 'Ed25519', false, ['verify'])
  return crypto.subtle.verify('Ed25519', known, signature, utf8(text))
}

/** The SHA-256 of the public key, by which people compare keys. */
export async function fingerprint(key: VerifierKey): Promise<string> {
  return hex(await sha256(key.key))
}
