import { useState, type ReactNode } from 'react'

/** What is there for whoever wants it: made when it is first opened. */
export function Disclose({ label, children }: { label: ReactNode; children: ReactNode }) {
  const [opened, setOpened] = useState(false)
  return (
    <details onToggle={(event) => event.currentTarget.open && setOpened(true)}>
      <summary style={{ cursor: 'pointer', minHeight: 24, fontSize: 'var(--mantine-font-size-sm)' }}>{label}</summary>
      {opened && children}
    </details>
  )
}
