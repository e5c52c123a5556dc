import { useEffect } from 'react'

/** Whether keys typed now are meant for a field and not for the page. */
export function typing(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false
  return target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName)
}

/** Something is open above the page: its keys are its own. */
const covered = () => document.querySelector('[role="dialog"]') !== null

/**
 * Single keys of a view: `{ j: next, k: previous, Enter: open }`. They rest while somebody types
 * in a field and while a dialogue is open. A key whose function gives `false` was not meant for it.
 */
export function useKeys(keys: Record<string, (event: KeyboardEvent) => void | false>) {
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return
      if (typing(event.target) || covered()) return
      const act = keys[event.key]
      if (act && act(event) !== false) event.preventDefault()
    }
    window.addEventListener('keydown', pressed)
    return () => window.removeEventListener('keydown', pressed)
  })
}
