/** What an invitation's token looks like: `csi_`, the tenant, and what nobody guesses. */
const TOKEN = /^csi_[A-Za-z0-9_-]{1,196}$/

/**
 * The token that stands behind the `#` of an invitation's link. There it is in no server's log: a
 * browser does not send that part.
 */
export function tokenIn(hash: string): string | undefined {
  const text = hash.replace(/^#/, '').trim()
  return TOKEN.test(text) ? text : undefined
}

/** What was pasted as a token: itself, or the whole link. */
export const tokenOf = (pasted: string) => tokenIn(pasted.slice(pasted.indexOf('#') + 1))

/** The link that takes an invitation up. */
export const linkOf = (origin: string, token: string) => `${origin}/invitation#${token}`
