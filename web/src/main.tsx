import { createRoot } from 'react-dom/client'
import { setNonce } from 'get-nonce'
import { App } from './app/App'
import { nonce } from './app/nonce'
import './app/styles'

// What locks the page's scrolling below a dialogue writes a style of its own.
setNonce(nonce())

const root = document.getElementById('root')
if (root) createRoot(root).render(<App />)
