import { mayLoadAfresh } from '../logic/afresh'

const KEPT = 'countersign.loaded-afresh'

/** After an upgrade a page that was open asks for parts of itself that are gone: it loads itself anew, once. */
async function loadAfresh() {
  try {
    if (!mayLoadAfresh(sessionStorage.getItem(KEPT), Date.now())) return
    // Without a server there would be no page to load: the one that is there stays.
    const answer = await fetch('/', { method: 'HEAD', cache: 'no-store' })
    if (!answer.ok) return
    sessionStorage.setItem(KEPT, String(Date.now()))
    window.location.reload()
  } catch {
    // No storage would be no guard against loading for ever, and no answer is no server: the view says what failed.
  }
}

window.addEventListener('vite:preloadError', () => void loadAfresh())
