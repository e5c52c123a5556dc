import { useEffect } from 'react'
import { presses } from '../logic/presses'

/** Whether keys typed now are meant for a field and not for the page. */
export function typing(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false
  return target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName)
}

/** Something is open above the page: its keys are its own. */
const covered = () =>
  [...document.querySelectorAll('[role="dialog"], [role="menu"], [role="listbox"]')]
    // What is kept in the page while it is closed covers nothing.
    .some((element) => element.getClientRects().length > 0)

/**
 * Single keys of a view: `{ j: next, k: previous, Enter: open }`. They rest while somebody types
 * in a field, while a dialogue, a menu or a list of choices is open, and where the key presses what has the focus.
 * A key whose function gives `false` was not meant for it.
 */
export function useKeys(keys: Record<string, (event: KeyboardEvent) => void | false>) {
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return
      if (typing(event.target) || covered()) return
      if (event.target instanceof Element && presses(event.key, event.target)) return
      const act = keys[event.key]
      if (act && act(event) !== false) event.preventDefault()
    }
    window.addEventListener('keydown', pressed)
    return () => window.removeEventListener('keydown', pressed)
  })
}
