import { Tooltip } from '@mantine/core'
import { createContext, useContext, type ReactElement, type ReactNode } from 'react'

const Packed = createContext(false)

/** What stands in here is one of very many: its hints are the browser's own, which cost nothing until they show. */
export function PackedRows({ children }: { children: ReactNode }) {
  return <Packed value={true}>{children}</Packed>
}

/** A word more about what it is around, on hover, focus and touch. */
export function Hint({ label, children }: { label: string; children: ReactElement }) {
  if (useContext(Packed)) return <span title={label}>{children}</span>
  return <Tooltip label={label}>{children}</Tooltip>
}
