import { hex, joined, sha256, unhex, utf8 } from './bytes'
import { isObject } from './canonical'
import type { Say } from './checkpointCheck'

/** What is kept beside an event, as the API gives it with the event. */
export interface Beside {
  /** 64 hexadecimal digits. */
  salt: string
  /** Canonical JSON. */
  body: string
}

const NAMES = ['display_name', 'ip_address', 'user_agent']

/**
 * Checks what names a person in an event and is kept beside the log: that salt and body make the hash
 * that was signed, and that just the body is shown. Of an event that has no such hash all was signed,
 * and there is nothing to say.
 */
export async function personalCheck(event: unknown, beside: Beside | null | undefined, say: Say): Promise<void> {
  if (!isObject(event) || event.personal === undefined) return
  const name = 'Name and address'
  const shown = shownOf(event)
  if (!beside) {
    const none = Object.values(shown).every((value) => value === undefined)
    if (none) {
      say(name, 'open', 'They were erased, or are not given: the log has their salted hash alone, which tells nothing.')
    } else {
      say(name, 'no', 'They are shown without the salt that would show what was signed.')
    }
    return
  }
  const salt = unhex(beside.salt)
  const made = salt?.length === 32 ? hex(await sha256(joined(salt, utf8(beside.body)))) : 'none'
  const numbers: [string, string][] = [['made here', made], ['signed', String(event.personal)]]
  if (made !== event.personal) {
    say(name, 'no', 'What is kept beside the log is not what was signed.', numbers)
    return
  }
  const signed = bodyOf(beside.body)
  const same = signed !== undefined && NAMES.every((key) => signed[key] === shown[key])
    && Object.keys(signed).every((key) => NAMES.includes(key))
  const says = same
    ? 'Their salted hash, made again here, is the one in the event; they are shown as they are.'
    : 'Others are shown than were signed.'
  say(name, same ? 'yes' : 'no', says, numbers)
}

function shownOf(event: Record<string, unknown>): Record<string, unknown> {
  const actor = isObject(event.actor) ? event.actor : {}
  return { display_name: actor.display_name, ip_address: event.ip_address, user_agent: event.user_agent }
}

function bodyOf(text: string): Record<string, unknown> | undefined {
  try {
    const read: unknown = JSON.parse(text)
    return isObject(read) ? read : undefined
  } catch {
    return undefined
  }
}
