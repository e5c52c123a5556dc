import { Paper, Group, Title } from '@mantine/core'
import type { ReactNode } from 'react'

/** A part of a view, with its heading. */
export function Section({ title, aside, children }: { title: ReactNode; aside?: ReactNode; children: ReactNode }) {
  return (
    <Paper withBorder p="md" bg="var(--card)" component="section">
      <Group justify="space-between" mb="xs" gap="xs">
        <Title order={2}>{title}</Title>
        {aside}
      </Group>
      {children}
    </Paper>
  )
}
