import { signedOut } from '../../api/client'

/** Something that is shown once: kept in the page's memory alone, and gone with it or with whoever is signed in. */
export interface Once<T> {
  keep: (value: T) => void
  kept: () => T | undefined
}

export function once<T>(): Once<T> {
  let value: T | undefined
  signedOut.addEventListener('signed-out', () => void (value = undefined))
  return { keep: (made) => void (value = made), kept: () => value }
}
