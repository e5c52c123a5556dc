import { useEffect, useState } from 'react'

const ATTRIBUTE = 'data-mantine-color-scheme'

/** A number that is another one after each change between light and dark: what is drawn on a canvas goes by it. */
export function useScheme(): number {
  const [changes, setChanges] = useState(0)
  useEffect(() => {
    const watch = new MutationObserver(() => setChanges((now) => now + 1))
    watch.observe(document.documentElement, { attributes: true, attributeFilter: [ATTRIBUTE] })
    return () => watch.disconnect()
  }, [])
  return changes
}

/** A colour of CSS, with its variables and `light-dark()`, as a canvas takes it: what it is inside `element` now. */
export function colorOf(element: HTMLElement, css: string): string {
  const probe = document.createElement('span')
  probe.style.color = css
  element.append(probe)
  const color = getComputedStyle(probe).color
  probe.remove()
  return color
}
