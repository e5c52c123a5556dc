import { Table } from '@mantine/core'
import type { ReactNode } from 'react'

/** What a table says, above it. */
export function Caption({ children }: { children: ReactNode }) {
  return <Table.Caption ta="left" mt={0} mb={2} c="var(--faint)">{children}</Table.Caption>
}
