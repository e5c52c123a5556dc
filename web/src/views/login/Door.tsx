import { Alert, Paper, Stack, Text, Title } from '@mantine/core'
import type { ReactNode } from 'react'
import type { Problem } from '../../api/problem'
import { told } from '../../logic/told'

interface DoorProps {
  title: string
  about: ReactNode
  problem: Problem | undefined
  /** Fields that show what was wrong with them, by JSON pointer; all else is said above. */
  fields?: string[]
  onSubmit: () => void
  children: ReactNode
}

/** The frame of what is asked before anything is shown: a form by itself, and what was wrong with it. */
export function Door({ title, about, problem, fields = [], onSubmit, children }: DoorProps) {
  const said = problem ? told(problem, fields) : []
  return (
    <Stack component="main" align="center" justify="center" mih="100dvh" p="md">
      <Paper withBorder p="xl" w="100%" maw={400} bg="var(--card)">
        <form
          onSubmit={(event) => {
            event.preventDefault()
            onSubmit()
          }}
        >
          <Stack gap="sm">
            <Title order={1}>{title}</Title>
            <Text size="sm" className="faint">{about}</Text>
            {said.length > 0 && (
              <Alert color="red" variant="light" role="alert">
                {said.map((line) => <div key={line}>{line}</div>)}
              </Alert>
            )}
            {children}
          </Stack>
        </form>
      </Paper>
    </Stack>
  )
}
