import { parseMemory, type LogMemory } from '../../logic/logMemory'

/** By tenant, which the session says: a name the log gives itself could be given anew. */
const nameOf = (tenant: string) => `countersign.log ${tenant}`

/** What a browser that keeps nothing knows as long as the page is open. */
const unkept = new Map<string, string>()

/** What this browser remembers of a tenant's log. */
export function remembered(tenant: string): LogMemory | undefined {
  const name = nameOf(tenant)
  try {
    return parseMemory(unkept.get(name) ?? localStorage.getItem(name))
  } catch {
    return parseMemory(unkept.get(name) ?? null)
  }
}

/**
 * Changes what is remembered, from what is stored: whoever asks may have read it before another tab,
 * or another check, wrote. Gives what is remembered then. Nothing changes where `next` says nothing.
 */
export function rewrite(
  tenant: string, next: (stored: LogMemory | undefined) => LogMemory | undefined,
): LogMemory | undefined {
  const made = next(remembered(tenant))
  if (made) keep(nameOf(tenant), JSON.stringify(made))
  return remembered(tenant)
}

function keep(name: string, text: string) {
  try {
    localStorage.setItem(name, text)
    unkept.delete(name)
  } catch {
    unkept.set(name, text)
  }
}

/** Calls back when another tab remembers something else; gives what ends it. */
export function onRemembered(tenant: string, changed: () => void): () => void {
  const heard = ({ key }: StorageEvent) => {
    if (key === null || key === nameOf(tenant)) changed()
  }
  window.addEventListener('storage', heard)
  return () => window.removeEventListener('storage', heard)
}
