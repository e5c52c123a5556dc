import { useCallback, useSyncExternalStore } from 'react'
import { useAccount } from '../../app/session'
import { read, type SavedFilter } from '../../logic/savedFilters'

const listening = new Set<() => void>()

function stored(key: string): string | null {
  try {
    return window.localStorage.getItem(key)
  } catch {
    // A browser may refuse it; then there are no kept filters.
    return null
  }
}

/**
 * The filters whoever is signed in keeps in this browser, and a way to keep others. It gives back
 * whether they could be kept.
 */
export function useSavedFilters(): [SavedFilter[], (filters: SavedFilter[]) => boolean] {
  const key = `countersign.findings.filters.${useAccount().actor_id}`
  const text = useSyncExternalStore(listen, () => stored(key))
  const keep = useCallback(
    (filters: SavedFilter[]) => {
      try {
        window.localStorage.setItem(key, JSON.stringify(filters))
      } catch {
        return false
      }
      for (const told of listening) told()
      return true
    },
    [key],
  )
  return [read(text), keep]
}

function listen(told: () => void) {
  listening.add(told)
  // Another tab of the same person.
  window.addEventListener('storage', told)
  return () => {
    listening.delete(told)
    window.removeEventListener('storage', told)
  }
}
