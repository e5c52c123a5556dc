/** A host key as it can be pinned. */
export interface HostKey {
  kind: string
  /** The key itself. */
  blob: Uint8Array<ArrayBuffer>
  /** `ssh-ed25519 AAAA…`, without a comment. */
  line: string
}

/** The kinds of host keys the server takes. */
export const KEY_KINDS = ['ssh-ed25519', 'ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp521', 'ssh-rsa']

/**
 * Reads a line of `/etc/ssh/ssh_host_*_key.pub`: kind, key in base64, and a comment that is dropped. A
 * text is what stands in the way. The key begins with its kind, after its length in four bytes (RFC 4253, 6.6).
 */
export function readHostKey(text: string): HostKey | string {
  const lines = text.trim().split(/[\r\n]+/)
  if (lines.length > 1) return 'One key at a time: paste a single line.'
  const [kind = '', base64 = ''] = (lines[0] ?? '').split(/[ \t]+/)
  if (!kind || !base64) return 'A host key looks like `ssh-ed25519 AAAA…`.'
  if (text.includes('PRIVATE KEY')) {
    return 'That is a private key: keep it where it is, and paste the one that ends in .pub.'
  }
  if (!KEY_KINDS.includes(kind)) return `Keys of this kind cannot be pinned: use one of ${KEY_KINDS.join(', ')}.`
  const blob = decoded(base64)
  const head = new TextEncoder().encode(kind)
  const length = blob ? new DataView(blob.buffer).byteLength : 0
  const begins = blob && length > 4 + head.length && new DataView(blob.buffer).getUint32(0) === head.length &&
    head.every((byte, at) => blob[4 + at] === byte)
  return begins ? { kind, blob, line: `${kind} ${base64}` } : 'The key does not hold what its first word says.'
}

function decoded(base64: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))
  } catch {
    return undefined
  }
}

/**
 * `SHA256:` and the unpadded base64 of the key's SHA-256, as `ssh-keygen -l` shows it; none where the page
 * may not compute it.
 */
export async function fingerprint(blob: Uint8Array<ArrayBuffer>): Promise<string | undefined> {
  if (!globalThis.crypto?.subtle) return undefined
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', blob))
  return `SHA256:${btoa(String.fromCharCode(...digest)).replace(/=+$/, '')}`
}
