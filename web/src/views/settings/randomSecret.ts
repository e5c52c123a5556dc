/** Bytes of a signing secret: as many as the hash it is used with. */
const BYTES = 32

/** A secret nobody guesses, in hexadecimal digits. */
export function randomSecret(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(BYTES))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
