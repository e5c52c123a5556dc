import { Button, Group, Stack, Text } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { asProblem } from '../../api/problem'
import { Failed } from '../../parts/State'

interface ActProps {
  /** What the button says. */
  label: string
  /** What it does; the guide looks again after it. */
  act: () => Promise<unknown>
  children: ReactNode
}

/** A step of the guide that one button does. */
export function Act({ label, act, children }: ActProps) {
  const queries = useQueryClient()
  const acting = useMutation({ mutationFn: act, onSettled: () => queries.invalidateQueries() })
  return (
    <Stack gap="xs" mt="xs" maw={680}>
      <Text size="sm" component="div">{children}</Text>
      {acting.error && <Failed problem={asProblem(acting.error)} />}
      <Group>
        <Button onClick={() => acting.mutate()} loading={acting.isPending}>{label}</Button>
      </Group>
    </Stack>
  )
}
