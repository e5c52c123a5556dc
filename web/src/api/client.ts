import createClient, { type Client, type Middleware } from 'openapi-fetch'
import { heardAt } from '../logic/clock'
import { RetryKeys } from '../logic/retryKeys'
import type { components, paths } from './schema'
import { asProblem, Problem } from './problem'

/** The shapes of the API by name: `Schema<'PlanOut'>`. */
export type Schema<Name extends keyof components['schemas']> = components['schemas'][Name]

/** Told when the session is gone, so that the page can ask for a new login. */
export const signedOut = new EventTarget()

/** 128 bits nobody had before; `randomUUID` is there in secure contexts alone. */
const fresh = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')

const HEADER = 'idempotency-key'
const keys = new RetryKeys(fresh)
/** A proxy's word that no answer came to it: the server may have done what was asked. */
const LOST = [502, 503, 504]

const problems: Middleware = {
  async onRequest({ request }) {
    // What is asked again after a lost answer must not be done twice.
    if (request.method === 'POST' && !request.headers.has(HEADER)) {
      request.headers.set(HEADER, keys.of(`${request.url}\n${await request.clone().text()}`, Date.now()))
    }
    return request
  },
  async onResponse({ request, response }) {
    heardAt(response.headers.get('date'))
    const key = request.headers.get(HEADER)
    if (key && !LOST.includes(response.status)) keys.answered(key)
    if (response.ok) return response
    const body: unknown = await response.json().catch(() => ({}))
    const problem = new Problem(response.status, body as Record<string, unknown>)
    // Who asks who is signed in finds out by the answer.
    if (problem.code === 'unauthenticated' && !/\/(login|account)$/.test(new URL(request.url).pathname)) {
      signedOut.dispatchEvent(new Event('signed-out'))
    }
    throw problem
  },
  onError: ({ error }) => asProblem(error),
}

/**
 * The API, typed by its own description. It throws a `Problem` for whatever is no success, so
 * `data` is there when a call returns.
 */
export const api: Client<paths> = createClient<paths>({ credentials: 'same-origin' })
api.use(problems)
