import { Alert, Anchor, Button, Center, Code, Group, Loader, Skeleton, Stack, Text, Title } from '@mantine/core'
import type { UseQueryResult } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { IconAlertCircle } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { asProblem, Problem } from '../api/problem'
import { shown } from '../logic/visible'

/** Something is on its way. */
export function Waiting({ label = 'Loading', rows }: { label?: string; rows?: number }) {
  if (rows) {
    return (
      <Stack gap="xs" role="status" aria-label={label}>
        {Array.from({ length: rows }, (_, row) => <Skeleton key={row} height={28} />)}
      </Stack>
    )
  }
  return <Center mih={160} role="status" aria-label={label}><Loader size="sm" /></Center>
}

/** Something went wrong: what, what to do, and how the server's log names it. */
export function Failed({ problem, retry }: { problem: Problem; retry?: () => void }) {
  return (
    <Alert color="red" variant="light" icon={<IconAlertCircle size={18} />} title={problem.title} role="alert">
      <Text size="sm">{problem.detail}</Text>
      {problem.errors.map((fault) => (
        <Text size="sm" key={`${fault.path} ${fault.code}`}><Code>{fault.path}</Code> {fault.message}</Text>
      ))}
      <Group mt="xs" gap="sm">
        {retry && <Button size="compact-sm" variant="light" color="red" onClick={retry}>Try again</Button>}
        {problem.requestId && <Text size="xs" className="faint">request <span className="mono">{problem.requestId}</span></Text>}
      </Group>
    </Alert>
  )
}

/** There is nothing, and what that means. */
export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <Center mih={140}>
      <Stack gap={4} align="center" maw={480}>
        <Text fw={600}>{title}</Text>
        {children && <Text size="sm" className="faint" ta="center" component="div">{children}</Text>}
      </Stack>
    </Center>
  )
}

interface LoadedProps<T> {
  query: Pick<UseQueryResult<T>, 'data' | 'error' | 'isPending'> & { refetch: () => unknown }
  /** Skeleton rows while it loads. */
  rows?: number
  children: (data: T) => ReactNode
}

/** What a query found, or how it stands with it. What is there stays shown while it is asked again. */
export function Loaded<T>({ query, rows, children }: LoadedProps<T>) {
  const failed = query.error && <Failed problem={asProblem(query.error)} retry={() => void query.refetch()} />
  if (query.data !== undefined) {
    return <>{failed}{children(query.data)}</>
  }
  if (failed) return failed
  return <Waiting rows={rows} />
}

/** No such page. */
export function Lost() {
  return (
    <Empty title="There is no such page">
      <Anchor component={Link} to="/">To the inbox</Anchor>
    </Empty>
  )
}

/** A view did not come, or made a mistake of its own; what the server said is told as its own words. */
export function Broken({ error, reset }: { error: unknown; reset?: () => void }) {
  if (error instanceof Problem) {
    return (
      <Stack>
        <Title order={1}>This view cannot be shown</Title>
        <Failed problem={error} retry={reset ?? (() => window.location.reload())} />
      </Stack>
    )
  }
  const said = error instanceof Error ? error.message : String(error)
  return (
    <Stack>
      <Title order={1}>This view made a mistake</Title>
      <Alert
        color="red" variant="light" icon={<IconAlertCircle size={18} />} role="alert"
        title="The console failed, not the server"
      >
        <Text size="sm">It said: <Code>{shown(said)}</Code></Text>
        <Group mt="xs" gap="sm">
          {reset && <Button size="compact-sm" variant="light" color="red" onClick={reset}>Try again</Button>}
          <Button size="compact-sm" variant="light" color="red" onClick={() => window.location.reload()}>
            Load the page anew
          </Button>
        </Group>
      </Alert>
    </Stack>
  )
}
