import { SignedIn } from './session'
import { Shell } from './Shell'

/** The console as whoever is signed in sees it; others see the way to sign in. */
export function Console() {
  return <SignedIn><Shell /></SignedIn>
}
